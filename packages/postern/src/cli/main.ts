#!/usr/bin/env node
/**
 * The program `postern`: finds the command, loads it alone, and says how it failed.
 */

import { readFileSync } from 'node:fs'
import { type Command, parseCommandLine } from './command.ts'
import { commands } from './commands.ts'
import { describeFailure, exitStatusOf } from './failure.ts'
import { nearest } from './nearest.ts'
import { UsageError } from './usage-error.ts'

async function run([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined)
    throw new UsageError(`give a command: ${Object.keys(commands).join(', ')}; see postern --help`)
  if (name === '--version') return print(`${version()}\n`)
  if (name === '--help' || name === '-h') return await printProgramHelp()
  if (name === 'help') return args[0] === undefined ? await printProgramHelp() : await run([args[0], '--help'])
  if (name.startsWith('-'))
    throw new UsageError(`options stand behind the command, as in postern call ${name}; see postern --help`)
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry === undefined) throw unknownCommand(name)
  const { command } = await entry.load()
  const line = parseCommandLine(command, args)
  if (line.values['help'] === true) return await printCommandHelp(command)
  if (entry.foreignCode !== true) process.on('uncaughtException', endInDefect)
  await command.run(line)
}

function unknownCommand(name: string): UsageError {
  const near = nearest(name, Object.keys(commands))
  const hint = near === undefined ? `there are ${Object.keys(commands).join(', ')}` : `did you mean ${near}?`
  return new UsageError(`there is no command ${JSON.stringify(name)}; ${hint}`)
}

async function printProgramHelp(): Promise<void> {
  const { programHelp } = await import('./help.ts')
  print(programHelp(commands))
}

async function printCommandHelp(command: Command): Promise<void> {
  const { commandHelp } = await import('./help.ts')
  print(commandHelp(command))
}

/** Help and version are answers too, but short ones, of which nobody needs the end. */
function print(text: string): void {
  process.stdout.on('error', ignore)
  process.stdout.write(text)
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

/** The status is left for the end of the process: what stdout still holds goes out first. */
function fail(error: unknown): void {
  process.exitCode = exitStatusOf(error)
  const style = { json: wantsJson(process.argv), terminal: process.stderr.isTTY === true }
  process.stderr.write(`${describeFailure(error, style)}\n`)
}

function endInDefect(error: unknown): void {
  fail(error)
  process.exit()
}

/** Before the options are read, and when they cannot be, a failure must know how to tell itself. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).includes('--json')
}

function ignore(): void {}

// Who closes stderr wants no news.
process.stderr.on('error', ignore)
run(process.argv.slice(2)).catch(fail)
