/** A module that cannot be loaded. */

export const handlers: object = JSON.parse('{') as object
