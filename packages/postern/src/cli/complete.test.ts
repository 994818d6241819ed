import { describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { type Completion, complete } from './complete.ts'
import { readService } from './service-description.ts'

const evil = '$(reboot)'

const service = {
  methods: [
    { name: 'node.info', summary: 'Tells what it is' },
    {
      name: 'node.transfer',
      paramStructure: 'by-name',
      params: [{ name: 'to', required: true, schema: {} }, { name: 'memo' }, { name: evil }, { name: 'a b' }],
    },
    { name: 'node.add', paramStructure: 'by-position', params: [{ name: 'a' }] },
    { name: evil },
    { name: 'node.x;reboot' },
    { name: '`reboot`' },
  ],
  'x-streams': [{ name: 'node.blocks' }],
  'x-events': [{ name: 'node.joined' }],
}

const socket = { name: 'x', path: '/run/x', uid: 0, mode: 0o600 }

const asked: string[] = []

/** What is offered on a line, of which the part behind the last space is the unfinished word. */
async function offered(line: string, fallback?: string): Promise<Completion> {
  return await complete(line.split(' '), commands, {
    sockets: async () => [
      { ...socket, alive: true, address: 'local:node' },
      { ...socket, alive: false, address: 'local:gone' },
    ],
    members: async (address) => {
      asked.push(address)
      return readService(service, address).members
    },
    fallback,
  })
}

async function words(line: string, fallback?: string): Promise<string[]> {
  return (await offered(line, fallback)).candidates.map(({ word }) => word)
}

describe('complete', () => {
  test('offers every command, and what the program itself takes', async () => {
    expect(await words('')).toEqual([...Object.keys(commands), 'help', '--help', '--version'])
    expect(await offered('lis')).toEqual({
      candidates: [{ word: 'list', about: 'list the methods, streams and events of a server' }],
    })
    expect(await words('help ')).toEqual(Object.keys(commands))
    for (const line of ['help call ', 'nothing ', 'constructor ', '--version ']) expect(await words(line)).toEqual([])
  })

  test('offers every option of each command, but none twice and none behind --', async () => {
    for (const [name, { load }] of Object.entries(commands)) {
      const { options } = (await load()).command
      expect(await words(`${name} -`)).toEqual(Object.keys(options).map((option) => `--${option}`))
    }
    expect(await words('call --ti')).toEqual(['--timeout'])
    expect(await words('call --timeout 5s --ti')).toEqual([])
    expect(await words('call -v --verb')).toEqual([])
    expect(await words('call --limit a=1 --lim')).toEqual(['--limit'])
    expect(await words('call local:node m -- --ti')).toEqual([])
  })

  test('offers values of options', async () => {
    expect(await words('serve m --at loc')).toEqual(['local:node'])
    expect(await words('serve m --at=loc')).toEqual(['--at=local:node'])
    expect(await words('call --limit maxCa')).toEqual(['maxCallBytes='])
    expect(await offered('call --token-file ')).toEqual({ candidates: [], filesBehind: '' })
    expect(await offered('call --token-file=x')).toEqual({ candidates: [], filesBehind: '--token-file=' })
    expect(await offered('call --timeout ')).toEqual({ candidates: [] })
    expect(await offered('sub -n ')).toEqual({ candidates: [] })
    expect(await words('completion ')).toEqual(['bash', 'zsh', 'fish'])
  })

  test('offers addresses that live, and those that do not to clean', async () => {
    expect(await words('call ')).toEqual(['local:node', 'unix:'])
    expect(await words('clean ')).toEqual(['local:gone', 'unix:'])
    expect(await words('clean local:gone ')).toEqual(['local:gone', 'unix:'])
    expect(await words('ping local:node ')).toEqual([])
    expect(await offered('call ./x')).toEqual({ candidates: [], filesBehind: '' })
    expect(await offered('call unix:./x')).toEqual({ candidates: [], filesBehind: 'unix:' })
    expect(await offered('serve ')).toEqual({ candidates: [], filesBehind: '' })
  })

  test('offers what a server describes, of the kind that the command takes', async () => {
    expect(await words('call local:node ')).toEqual(['node.info', 'node.transfer', 'node.add'])
    expect(asked.at(-1)).toBe('local:node')
    expect(await words('call -v --timeout 5s local:node node.i')).toEqual(['node.info'])
    expect(await words('sub local:node ')).toEqual(['node.blocks', 'node.joined'])
    expect(await words('describe local:node ')).toHaveLength(5)
    expect(await words('call local:node node.transfer ')).toEqual(['to=', 'memo='])
    expect(await words('call local:node node.transfer to=x ')).toEqual(['memo='])
    expect(await words('call local:node node.add ')).toEqual([])
    expect(await offered('call local:node node.add @x')).toEqual({ candidates: [], filesBehind: '@' })
    expect(await offered('batch local:node @x')).toEqual({ candidates: [], filesBehind: '@' })
  })

  test('offers it behind an address that was left out, too', async () => {
    expect(await words('call ', 'local:env')).toEqual(['local:node', 'unix:', 'node.info', 'node.transfer', 'node.add'])
    expect(asked.at(-1)).toBe('local:env')
    expect(await words('call node.transfer ', 'local:env')).toEqual(['to=', 'memo='])
    expect(await words('call local:node node.transfer ', 'local:env')).toEqual(['to=', 'memo='])
    expect(await words('call node.transfer ')).toEqual([])
  })

  test('offers nothing that a shell would obey', async () => {
    for (const line of ['call local:node ', 'describe local:node ', 'call local:node node.transfer ']) {
      for (const word of await words(line)) expect(word).toMatch(/^[\w.=]+$/)
    }
  })
})
