// Finds the binary for this platform: the one that was built here, or the one that came with the package.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

function load() {
  const platform = `${process.platform}-${process.arch}`
  const failures = []
  // A binary for the other C library does not load, and says so.
  for (const path of [
    './build/postern.node',
    `./prebuilds/${platform}-glibc/postern.node`,
    `./prebuilds/${platform}-musl/postern.node`,
    `./prebuilds/${platform}/postern.node`,
  ]) {
    try {
      return require(path)
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') failures.push(`${path}: ${error.message}`)
    }
  }
  const found = failures.length === 0 ? 'there is no binary for it' : failures.join('; ')
  throw new Error(`@postern/native does not run on ${platform}: ${found}`)
}

export const { Blob, Link, peerOf } = load()
