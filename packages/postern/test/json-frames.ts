/** Small JSON objects and arrays with what scanners stumble over. */
export const awkwardFrames: readonly Buffer[] = [
  '{}',
  '[]',
  '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}',
  '[{"id":1,"result":"0x0"},{"id":2,"error":{"code":-32602,"message":"}{"}}]',
  '{"revert":"{","and":"}","both":"}{","][":"[]","]{":"}["}',
  '{"quote":"\\"","backslash":"\\\\","both":"\\\\\\"","end":"\\\\"}',
  '[[[["\\\\\\\\"]]],"\\"}\\"]","",{}]',
  '{"é":"日本 \u{1f511} \u2028","escaped":"\\u00e9\\ud83d\\udd11"}',
  '[1,-2.5e+10,true,false,null,"\\b\\f\\n\\r\\t\\/"]',
  `{"long":"${'x'.repeat(90)}\\"${'y'.repeat(90)}","list":[${'1,'.repeat(20)}{}]}`,
].map((text) => Buffer.from(text))

/** A JSON object of exactly this many bytes, 16 or more: many small objects, strings and escapes where they fit. */
export function jsonFrameOf(bytes: number): Buffer {
  const item = '{"pc":17,"op":"PUSH1","gas":"0x1f","say":"\\"}{\\\\"},'
  const room = Math.max(0, bytes - '{"list":[0],"pad":""}'.length)
  const items = Math.floor(room / 2 / item.length)
  const start = items === 0 ? '{"pad":"' : `{"list":[${item.repeat(items)}0],"pad":"`
  return Buffer.from(`${start}${'p'.repeat(bytes - start.length - 2)}"}`)
}
