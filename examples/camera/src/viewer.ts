/** Looks at so many frames of a camera: `npx tsx src/viewer.ts ADDRESS COUNT`. */

import { lineOf, watch } from './watch.ts'

const [address = 'shm:./camera.sock', count = '180'] = process.argv.slice(2)
console.log(lineOf(await watch(address, Number(count))))
