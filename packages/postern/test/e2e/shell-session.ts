import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { cliPath, whyNoTerminal } from './run-cli.ts'

/** A shell, how it is started so that it reads its file of settings, and what stands there. */
interface ShellRecipe {
  readonly args: readonly string[]
  readonly settingsFile: string
  readonly settings: string
}

const recipes = {
  bash: {
    args: ['--rcfile', 'settings.bash', '-i'],
    settingsFile: 'settings.bash',
    settings: `PS1='ready> '; unset HISTFILE; bind 'set enable-bracketed-paste off'; source <(postern completion bash)`,
  },
  zsh: {
    args: ['-i'],
    settingsFile: '.zshrc',
    settings: `PS1='ready> '; unset zle_bracketed_paste; bindkey -e; autoload -Uz compinit; compinit -u -D; source <(postern completion zsh)`,
  },
  fish: {
    args: ['-i'],
    settingsFile: 'config/fish/config.fish',
    settings: `set fish_greeting; function fish_prompt; echo 'ready> '; end; postern completion fish | source`,
  },
} as const satisfies Record<string, ShellRecipe>

export type ShellName = keyof typeof recipes

/** Why the shell cannot be run, or undefined when it can. */
export function whyNoShell(name: ShellName): string | undefined {
  if (spawnSync(name, ['-c', 'exit 0']).status !== 0) return `the shell ${name} is not installed`
  return whyNoTerminal()
}

/** A shell at a terminal, with `postern` on its PATH and its completion loaded. */
export interface ShellSession {
  /** The directory that it is in. */
  readonly directory: string
  /** Types the line and Tab, and tells what stands on the line then. */
  readonly complete: (line: string) => Promise<string>
}

/** Starts it; it is killed when the test is over. `runtime` is where its `local:` names are. */
export async function startShell(name: ShellName, runtime: string): Promise<ShellSession> {
  const { args, settingsFile, settings }: ShellRecipe = recipes[name]
  const home = await temporaryDirectory()
  const directory = await temporaryDirectory()
  await mkdir(join(home, 'bin'))
  await mkdir(join(home, 'config/fish'), { recursive: true })
  // Where it is missing, fish fills it in the background.
  await mkdir(join(home, 'data/fish/generated_completions'), { recursive: true })
  await writeFile(join(home, settingsFile), settings)
  await writeFile(join(home, 'bin/postern'), `#!/bin/sh\nexec "${process.execPath}" "${cliPath}" "$@"\n`)
  await chmod(join(home, 'bin/postern'), 0o755)
  const env = {
    HOME: home,
    PATH: `${home}/bin:${process.env['PATH'] ?? ''}`,
    TERM: 'xterm',
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_RUNTIME_DIR: runtime,
    ZDOTDIR: home,
  }
  const program = 'import os, pty, sys; os.chdir(sys.argv[1]); pty.spawn(sys.argv[2:])'
  const child = spawn(
    'python3',
    ['-c', program, directory, name, ...args.map((arg) => arg.replace('settings', `${home}/settings`))],
    { env },
  )
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  const screen = new Screen(child)
  await screen.shows('ready> ')
  return { directory, complete: (line) => completeLine(child, screen, line) }
}

/**
 * The keys behind Tab wait until the shell has completed. They put a letter behind it, where zsh else takes a space back,
 * and the line into a command that prints it.
 */
async function completeLine(child: ChildProcessWithoutNullStreams, screen: Screen, line: string): Promise<string> {
  const [toStart, toEnd] = ['\u0001', '\u0005']
  screen.clear()
  child.stdin.write(`${line}\tX${toStart}echo "<${toEnd}>"\r`)
  const [, completed = ''] = await screen.shows(/^<(.*)X>$/m)
  return completed
}

/** How long a shell may take to show something. */
const boundMs = 15_000

/** What a terminal was sent, without what moves its cursor and sets its colours. */
class Screen {
  readonly #child: ChildProcessWithoutNullStreams
  #sent = ''

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#sent += chunk
    })
  }

  get text(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    return this.#sent
      .replaceAll(/\u001b(?:\[[\d;?>]*[A-Za-z]|\][^\u0007]*\u0007|[()=>][AB012]?)/g, '')
      .replaceAll('\r', '\n')
  }

  clear(): void {
    this.#sent = ''
  }

  async shows(pattern: string | RegExp): Promise<RegExpMatchArray> {
    const signal = AbortSignal.timeout(boundMs)
    while (true) {
      const found = this.text.match(pattern)
      if (found !== null) return found
      await once(this.#child.stdout, 'data', { signal }).catch(() => {
        throw new Error(`the shell did not show ${String(pattern)} but ${JSON.stringify(this.#sent)}`)
      })
    }
  }
}
