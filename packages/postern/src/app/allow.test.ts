import { describe, expect, test, vi } from 'vitest'
import { parseAddress } from '../core/address.ts'
import { PosternError } from '../core/errors.ts'
import { type Peer, unknownPeer } from '../core/stream.ts'
import { type AllowOption, type Admission, admissionTo, allowsOthers, checkAllow } from './allow.ts'

const addon = vi.hoisted(() => ({ installed: true }))

vi.mock('../os/native.ts', () => ({
  findNative: () => Promise.resolve(addon.installed ? {} : undefined),
  loadNative: (what: string) =>
    addon.installed
      ? Promise.resolve({})
      : Promise.reject(new PosternError('missing_dependency', `${what} needs the package "@postern/native"`)),
}))

const own = process.geteuid?.() ?? -1
const stranger = 70_002
const group = 70_003

function peer(given: Partial<Peer>): Peer {
  return { ...unknownPeer, uid: stranger, gid: stranger, groups: [], pid: 1, alive: true, ...given }
}

async function admission(
  address: string,
  { allow, group: ofGroup }: { allow?: AllowOption; group?: number } = {},
  installed = true,
): Promise<Admission | undefined> {
  addon.installed = installed
  return await admissionTo({ address: parseAddress(address), allow, group: ofGroup })
}

describe('checkAllow', () => {
  test.each<[unknown, string]>([
    [undefined, 'allow takes an object of options, not undefined'],
    ['root', 'allow takes an object of options, not string'],
    [{}, 'allow lists nobody: give uids or groups'],
    [{ users: [1] }, 'allow has no option "users"; there are uids, groups'],
    [{ uids: [] }, 'allow.uids is a list of the numbers of users, as [1001], not []'],
    [{ uids: 1 }, 'allow.uids is a list of the numbers of users, as [1001], not 1'],
    [{ uids: ['1'] }, 'not ["1"]'],
    [{ uids: [-1] }, 'not [-1]'],
    [{ uids: [1.5] }, 'not [1.5]'],
    [{ uids: [0xffff_ffff] }, 'not [4294967295]'],
    [{ uids: [1], groups: [] }, 'allow.groups is a list of names or numbers of groups, as ["node-users"], not []'],
    [{ groups: 'wheel' }, 'not "wheel"'],
    [{ groups: [''] }, 'not [""]'],
    [{ groups: [true] }, 'not [true]'],
    [{ groups: [-1] }, 'not [-1]'],
  ])('refuses %j', (allow, message) => {
    expect(() => checkAllow(allow)).toThrow(TypeError)
    expect(() => checkAllow(allow)).toThrow(message)
  })

  test.each<[AllowOption]>([[{ uids: [0, 0xffff_fffe] }], [{ groups: ['wheel', 7] }], [{ uids: [1], groups: [1] }]])(
    'takes %j',
    (allow) => expect(() => checkAllow(allow)).not.toThrow(),
  )
})

test('allowsOthers tells whether anybody but the own user and root is meant', () => {
  expect(allowsOthers({ uids: [own, 0] })).toBe(false)
  expect(allowsOthers({ uids: [own, stranger] })).toBe(true)
  expect(allowsOthers({ groups: [0] })).toBe(true)
})

describe('admissionTo with allow', () => {
  const allow = { uids: [stranger], groups: [group] }

  test.each<[string, Partial<Peer>]>([
    ['the own user', { uid: own }],
    ['root', { uid: 0 }],
    ['a user who is listed', {}],
    ['one whose primary group is', { uid: 7, gid: group }],
    ['one with a supplementary group that is', { uid: 7, groups: [1, group] }],
    ['one of whom nobody tells whether the process runs', { alive: undefined, pid: undefined }],
  ])('lets in %s', async (_, given) => {
    expect((await admission('unix:/s', { allow }))?.(peer(given))).toBeUndefined()
  })

  test.each<[string, Partial<Peer>, string]>([
    ['a user who is not listed', { uid: 7, gid: 7, groups: [stranger] }, 'this address is not for uid 7; '],
    ['one whose uid has the number of a group', { uid: group }, `this address is not for uid ${group}; `],
    ['one whose groups nobody tells', { uid: 7, gid: undefined, groups: undefined }, 'is not for uid 7; '],
    ['one of whom nothing is told', unknownPeer, 'the system does not tell who connected'],
    ['a process that has ended', { alive: false }, 'the process that connected has ended'],
    ['one that has ended, also of the own user', { uid: own, alive: false }, 'has ended'],
  ])('turns away %s', async (_, given, message) => {
    const refusal = (await admission('unix:/s', { allow }))?.(peer(given))
    expect(refusal).toMatchObject({ code: 'permission_denied' })
    expect(refusal?.message).toContain(message)
  })

  test('is not for what the kernel tells nothing of', async () => {
    for (const address of ['tcp://127.0.0.1:1', 'memory:x', 'stdio:', 'pipe:x']) {
      await expect(admission(address, { allow })).rejects.toMatchObject({ code: 'not_supported' })
      await expect(admission(address, { allow })).rejects.toThrow(
        `of who connects to ${address} the kernel tells nothing`,
      )
    }
  })

  test('is for others only where they can get', async () => {
    await expect(admission('local:app', { allow })).rejects.toThrow(
      '[not_supported] local:app lies in a directory that only this user may enter, so that nobody else whom allow lists can reach it; give a path outside it, such as unix:/run/app/app.sock',
    )
    expect((await admission('local:app', { allow: { uids: [own] } }))?.(peer({}))?.code).toBe('permission_denied')
    for (const address of ['systemd:', 'systemd:app', 'shm:/s'])
      expect((await admission(address, { allow }))?.(peer({}))).toBeUndefined()
  })

  test('refuses to begin without the addon, and with a group that nobody knows', async () => {
    await expect(admission('unix:/s', { allow }, false)).rejects.toThrow(
      '[missing_dependency] allow at unix:/s needs the package "@postern/native"',
    )
    const unheardOf = { groups: ['no-such-group-anywhere'] }
    await expect(admission('unix:/s', { allow: unheardOf })).rejects.toMatchObject({ code: 'bad_address' })
  })
})

describe('admissionTo without allow', () => {
  test('makes sure of the own user, root and the group, with the addon', async () => {
    const alone = await admission('unix:/s')
    for (const uid of [own, 0]) expect(alone?.(peer({ uid, alive: false }))).toBeUndefined()
    expect(alone?.(peer({ groups: [group] }))?.message).toContain(`this address is not for uid ${stranger}`)
    expect(alone?.(unknownPeer)?.message).toContain('does not tell who connected')
    const grouped = await admission('unix:/s', { group })
    expect(grouped?.(peer({ groups: [group] }))).toBeUndefined()
    expect(grouped?.(peer({ gid: group }))).toBeUndefined()
    expect(grouped?.(peer({}))?.code).toBe('permission_denied')
  })

  test('leaves it to the file without the addon, to the unit at systemd:, and elsewhere', async () => {
    expect(await admission('unix:/s', {}, false)).toBeUndefined()
    for (const address of ['systemd:', 'tcp://127.0.0.1:1', 'memory:x', 'stdio:'])
      expect(await admission(address)).toBeUndefined()
  })
})
