// Wrong use of the addon: whatever it is, it is a TypeError and nothing else.

import assert from 'node:assert/strict'
import { Blob, descriptorOf, Link, peerOf, socketPair, usual } from './addon-sides.mjs'

/** Whatever is wrong is a TypeError. Each entry: a call, and the place of the wrong argument. */
export async function refusesWrongArguments() {
  const [accepted, client] = await socketPair()
  const fd = descriptorOf(accepted)
  const options = { ...usual, server: 1 }
  const link = new Link(fd, options, () => undefined)
  const nothings = [undefined, null, true, 'x', Symbol('x'), 1n, {}, [], () => 0]
  const wrongNumbers = [...nothings, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
  const calls = [
    [(wrong) => peerOf(wrong), [...wrongNumbers, 100_000]],
    [(wrong) => new Blob(wrong), [...wrongNumbers, 0, 2 ** 47]],
    [(wrong) => new Link(wrong, options, () => 0), [...wrongNumbers, 100_000]],
    [(wrong) => new Link(fd, wrong, () => 0), [...nothings, 1]],
    [(wrong) => new Link(fd, options, wrong), [...nothings.slice(0, -1), 1]],
    [
      (wrong) => link.write(wrong, 0),
      [...nothings, 1, new ArrayBuffer(1), new Uint16Array(1), new DataView(new ArrayBuffer(1))],
    ],
    [(wrong) => link.write(new Uint8Array(1), wrong), [...wrongNumbers, 2]],
    [(wrong) => link.writeText(wrong), [...nothings.filter((value) => value !== 'x'), 1]],
    [(wrong) => link.input(wrong), [...nothings, 1, new Uint8Array(0)]],
    [(wrong) => link.sendBlob(wrong, 1), [...nothings, 1, link, Object.create(Blob.prototype)]],
    [(wrong) => link.sendBlob(new Blob(1), wrong), wrongNumbers],
    [(wrong) => link.takeBlob(wrong), wrongNumbers],
    ...Object.keys(options).map((name) => [
      (wrong) => new Link(fd, { ...options, [name]: wrong }, () => 0),
      wrongNumbers,
    ]),
    [(wrong) => new Link(fd, { ...options, ringBytes: wrong }, () => 0), [0, 4095, 5000, 1 << 27]],
  ]
  for (const [call, wrongs] of calls) {
    for (const wrong of wrongs) assert.throws(() => call(wrong), TypeError, `${call} of ${String(wrong)}`)
  }
  // Nothing to read into yet.
  assert.throws(() => link.resume(), TypeError)
  link.close()
  accepted.destroy()
  client.destroy()
}

export async function refusesWrongReceivers() {
  const methods = Object.getOwnPropertyNames(Link.prototype).filter((name) => name !== 'constructor')
  const counts = { write: 2, writeText: 1, input: 1, sendBlob: 2, takeBlob: 1 }
  const receivers = [undefined, null, 1, {}, new Blob(1), Object.create(Link.prototype), Link]
  for (const name of methods) {
    const args = Array.from({ length: counts[name] ?? 0 }, () => 1)
    for (const receiver of receivers)
      assert.throws(() => Reflect.apply(Link.prototype[name], receiver, args), TypeError)
    assert.throws(() => Reflect.apply(Link.prototype[name], receivers[3], [...args, 1]), TypeError)
  }
  const [accepted, client] = await socketPair()
  const link = new Link(descriptorOf(accepted), { ...usual, server: 1 }, () => undefined)
  const blob = new Blob(1)
  for (const receiver of [undefined, {}, link, blob, Object.freeze({})]) {
    assert.throws(() => Reflect.apply(Blob, receiver, [1]), TypeError)
    assert.throws(
      () => Reflect.apply(Link, receiver, [descriptorOf(client), { ...usual, server: 0 }, () => 0]),
      TypeError,
    )
  }
  assert.throws(() => link.write(), TypeError)
  assert.throws(() => link.close(1), TypeError)
  assert.throws(() => peerOf(), TypeError)
  link.close()
  accepted.destroy()
  client.destroy()
}
