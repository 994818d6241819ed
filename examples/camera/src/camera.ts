/** Serves the camera until it is stopped: `npx tsx src/camera.ts ADDRESS`. */

import { serveCamera } from './serve-camera.ts'

const server = await serveCamera(process.argv[2] ?? 'shm:./camera.sock')
console.log(`serves ${server.addresses.join(' and ')}`)
