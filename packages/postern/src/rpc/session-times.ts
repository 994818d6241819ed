/** How long a session waits for what, where no limit says so. */

/** How long a session that has said its last word waits for the other side to close. */
export const lingerMs = 500

/**
 * How long nothing may come before a server that is closing ends: what its clients have sent by then is refused in
 * words, and not cut off behind the end, where they could not know whether it ran.
 */
export const quietMs = 20

/** How often a session whose peer only reads makes sure that it still does. */
export const probeMs = 1_000
