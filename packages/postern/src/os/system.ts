import { arch } from 'node:os'

/** The system that this is, and whether Postern is tested on it. */
export function thisSystem(): { readonly name: string; readonly tested: boolean } {
  return { name: `${process.platform} ${arch()}`, tested: process.platform === 'linux' }
}
