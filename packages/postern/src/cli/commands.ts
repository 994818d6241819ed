/**
 * The table of commands: what `postern` can do, for the parser, the help and the completion of shells.
 */

import type { CommandTable } from './command.ts'

/** Every command, in the order of the help. A command is loaded when it is named. */
export const commands: CommandTable = {
  call: { summary: 'call a method and print its result', load: () => import('./call.ts') },
  notify: { summary: 'tell a server something that wants no answer', load: () => import('./notify.ts') },
  batch: { summary: 'make several calls at once and print an outcome each', load: () => import('./batch.ts') },
  sub: { summary: 'subscribe and print each item', load: () => import('./sub.ts') },
  list: { summary: 'list the methods, streams and events of a server', load: () => import('./list.ts') },
  describe: { summary: 'show how they are used', load: () => import('./describe.ts') },
  types: { summary: 'print a TypeScript contract of a server', load: () => import('./types.ts') },
  ping: { summary: 'tell whether a server answers, and how fast', load: () => import('./ping.ts') },
  wait: { summary: 'wait until a server answers', load: () => import('./wait.ts') },
  stop: { summary: 'stop a server, at its admin address', load: () => import('./stop.ts') },
  serve: { summary: 'serve what a module exports', load: () => import('./serve.ts'), foreignCode: true },
  ls: { summary: 'list the sockets of this user', load: () => import('./ls.ts') },
  clean: { summary: 'remove sockets whose servers are gone', load: () => import('./clean.ts') },
  doctor: { summary: 'say what is there and what is wrong', load: () => import('./doctor.ts') },
  completion: { summary: 'print a script that completes in bash, zsh or fish', load: () => import('./completion.ts') },
}
