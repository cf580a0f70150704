import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the script install-edge')
const script = join(root, 'scripts/deploy/install-edge')

test('is sound by shellcheck', async () => {
  const { code, out } = await runCommand('shellcheck', [script])
  assert.is(out, '')
  assert.is(code, 0)
})

test('refuses what it does not know before it does anything', async () => {
  const refused = async (...args: string[]) => {
    const { code, err } = await runCommand(script, args)
    assert.is(code, 1)
    return err
  }
  assert.is(await refused('--nodes', 'pi'), 'install-edge: there is no option --nodes; --help lists them\n')
  assert.is(await refused('--node'), 'install-edge: --node needs a value; --help says which\n')
  assert.match(await refused('--code', 'abc'), /--code needs --hub, the address of the hub that made it/)
  assert.match(await refused('--hub', 'lab.example'), /--hub is lab\.example; it must begin with http/)
  assert.match(await refused('--with', 'gpio,spi'), /--with knows gpio, i2c, usbtmc, camera and flash, not spi/)
  assert.match(await refused('--keep-data'), /--keep-data is for --uninstall/)
})

test('says how it is used', async () => {
  const { code, out } = await runCommand(script, ['--help'])
  assert.is(code, 0)
  assert.ok(out.split('\n').every((line) => line.length <= 80))
})

test.run()
