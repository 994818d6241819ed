/** What the codecs carry in the bench: the same bytes in every run, in the shapes that programs send. */

export interface CodecPayload {
  /** As the table prints it. */
  readonly title: string
  readonly value: object
  /** It holds bytes, which JSON has only as text. */
  readonly bytes?: true
}

/** A name with bytes, and the same with base64 text in their place, as it has to travel in JSON. */
export interface Attachment {
  readonly name: string
  readonly data: Uint8Array
}
export interface TextAttachment {
  readonly name: string
  readonly data: string
}

/** The sizes are those of the JSON, or of the bytes alone; `largeMb` is that of the large ones. */
export function codecPayloads(largeMb: number): CodecPayload[] {
  const person = {
    id: 48_213,
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    active: true,
    balance: 1_024.75,
    age: 36,
  }
  const many = largeMb * 5_000
  const fractions = largeMb * 50_000
  const attachment: Attachment = { name: 'photo.jpg', data: noise(largeMb * 1_000_000) }
  return [
    { title: 'an object of 100 B', value: person },
    { title: '50 records, 10 KB', value: { records: records(50) } },
    { title: `${many.toLocaleString('en-US')} records, ${largeMb} MB`, value: { records: records(many) } },
    {
      title: `${fractions.toLocaleString('en-US')} numbers, ${largeMb} MB`,
      value: { values: Array.from({ length: fractions }, (_, index) => Math.sin(index) * 1_000) },
    },
    { title: `${largeMb} MB of bytes`, value: attachment, bytes: true },
  ]
}

export function asText({ name, data }: Attachment): TextAttachment {
  return { name, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') }
}

export function fromText({ name, data }: TextAttachment): Attachment {
  return { name, data: Buffer.from(data, 'base64') }
}

const kinds = ['reading', 'alarm', 'calibration'] as const

/** Measurements as a device would report them: text, whole numbers, fractions, and objects in objects. */
function records(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: 700_000 + index,
    time: new Date(1_700_000_000_000 + index * 1_000).toISOString(),
    kind: kinds[index % kinds.length],
    sensor: { name: `sensor-${index % 97}`, room: (index % 7) - 3, tags: ['lab', 'raw'] },
    values: [index * 1.37 + 0.25, Math.round(index * 48.1) / 100, index],
    ok: index % 11 !== 0,
    unit: 'millivolts',
    note: null,
  }))
}

/** Bytes without a pattern, by a linear congruential generator. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = 1
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}
