import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allFindings, descriptors, node, optionalPackages } from './findings.ts'
import { installedVersion } from './installed-version.ts'

test.each<[string, 'ok' | 'wrong']>([
  ['20.19.0', 'ok'],
  ['20.20.2', 'ok'],
  ['22.0.0', 'ok'],
  ['20.18.9', 'wrong'],
  ['18.30.0', 'wrong'],
])('node finds Node %s %s', (version, state) => {
  expect(node(version).state).toBe(state)
  if (state === 'wrong') expect(node(version).detail).toBe(`${version}; Postern needs 20.19 or newer`)
})

test('descriptors notes a limit that leaves less than the default number of connections', () => {
  expect(descriptors(undefined).state).toBe('ok')
  expect(descriptors(1_024 + 64)).toEqual({ state: 'ok', detail: 'up to 1088' })
  expect(descriptors(1_024 + 63)).toEqual({
    state: 'note',
    detail: 'up to 1087, so that a server has 1023 connections in place of 1024; ulimit -n raises it',
  })
  expect(descriptors(10).detail).toContain('a server has 1 connections')
})

test('optionalPackages are the optional peers of the package, beside the addon', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { peerDependencies } = JSON.parse(text) as { readonly peerDependencies: Readonly<Record<string, string>> }
  expect(['@postern/native', ...Object.keys(optionalPackages)].sort()).toEqual(Object.keys(peerDependencies).sort())
})

test('installedVersion finds what is installed, and nothing else', () => {
  expect(installedVersion('msgpackr')).toMatch(/^\d+\.\d+\.\d+/)
  expect(installedVersion('no-such-package-anywhere')).toBeUndefined()
})

test('allFindings names each thing once', async () => {
  const names = (await allFindings()).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('@postern/native')
})
