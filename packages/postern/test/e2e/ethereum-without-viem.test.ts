import { execFile } from 'node:child_process'
import { cp, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { fakeNode } from '../fake-node.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))

it('postern/ethereum works where viem is not installed, and ipcTransport says what it needs', async () => {
  const node = await fakeNode()
  const directory = await temporaryDirectory()
  await cp(dist, `${directory}/dist`, { recursive: true })
  await writeFile(`${directory}/package.json`, '{"type":"module"}')
  await writeFile(
    `${directory}/main.js`,
    `import { ethereumProvider, ipcTransport } from './dist/ethereum/index.js'
    const provider = ethereumProvider(process.argv[2])
    console.log(await provider.request({ method: 'eth_chainId' }))
    await ipcTransport(provider)({}).request({ method: 'eth_chainId' }).catch(({ message }) => console.log(message))
    await provider.close()`,
  )
  const { stdout } = await promisify(execFile)(process.execPath, [`${directory}/main.js`, node.address])
  const missing = '[missing_dependency] postern/ethereum needs the package "viem" for ipcTransport (npm install viem)'
  expect(stdout).toBe(`0x7a69\n${missing}\n`)
})
