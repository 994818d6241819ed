import { expect, test } from 'vitest'
import { parseUnixSockets } from './unix-socket-table.ts'

/** As Linux prints it. */
const table = `Num       RefCount Protocol Flags    Type St Inode Path
000000002c8bc0ff: 00000002 00000000 00010000 0001 01 994743 /run/app/a b.sock
000000002c8bc0f0: 00000003 00000000 00000000 0001 03 99474 /run/app/a b.sock
000000001f2a3b4c: 00000002 00000000 00000000 0002 01  7431 /run/systemd/notify
0000000000000000: 00000002 00000000 00010000 0005 01 20001 @abstract@
0000000000000001: 00000003 00000000 00000000 0001 03     8
0000000000000002: 00000003 00000000 00000000 0009 03     9 /run/odd
`

test.each([
  [994743n, { path: '/run/app/a b.sock', type: 'stream', listens: true }],
  [99474n, { path: '/run/app/a b.sock', type: 'stream', listens: false }],
  [7431n, { path: '/run/systemd/notify', type: 'datagram', listens: false }],
  [20001n, { path: '@abstract@', type: 'sequential packet', listens: true }],
  [8n, { path: undefined, type: 'stream', listens: false }],
  [9n, undefined],
  [4743n, undefined],
  [1n, undefined],
])('parseUnixSockets finds the inode %i', (inode, entry) => {
  expect(parseUnixSockets(table, inode)).toEqual(entry)
})
