import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { comes } from '../../browser/support/browser.ts'
import { fernlab } from '../../support/command.ts'
import type { Cast } from '../support/cast.ts'
import { button, keptOut, makeAccount, ways } from '../support/site.ts'

/** A lab builder adds a lab by the command line with a token of the page, and drives it by its panel. */
export async function addALab(cast: Cast): Promise<void> {
  const { site, links, student } = cast
  const { page: builder } = await site.visitor('198.51.100.3')
  cast.builder = builder
  await builder.goto(links['lab builder'])
  await makeAccount(builder, 'Bo Lindqvist', 'bo@school.example')
  await comes(() => ways(builder), ['Labs', 'My runs', 'Calendar', 'Benches', 'Nodes', 'Services', 'Account'])
  await keptOut(builder, site, ['/people', '/people/permissions', '/usage', '/settings', '/audit'])

  await builder.goto(`${site.lab.http}/account`)
  await button(builder, 'Create a token').click()
  const dialog = builder.getByRole('dialog')
  await dialog.getByLabel('Name').fill('laptop')
  await dialog.getByLabel('push labs').check()
  await dialog.getByLabel('Ends after').selectOption({ label: '30 days' })
  await button(dialog, 'Create a token').click()
  const token = (await dialog.locator('code').textContent()) ?? ''
  await button(dialog, 'Done').click()
  const env = { ...site.lab.clientEnv, FERNLAB_TOKEN: token }
  const folder = join(site.folder, 'divider')
  const lab = async (...args: readonly string[]) => {
    const ended = await fernlab(['lab', ...args], { env })
    assert.is(ended.code, 0, ended.err)
  }
  await lab('new', folder, '--title', 'Voltage divider', '--summary', 'Set a voltage, read a part of it.')
  await appendFile(join(folder, 'lab.yaml'), 'access: { public: false }\n')
  await lab('push', folder)

  await builder.goto(`${site.lab.http}/labs`)
  await builder.getByRole('link', { name: 'Voltage divider' }).click()
  await button(builder, 'Drive it live').click()
  await builder.getByText('You have the controls.').waitFor()
  await builder.getByRole('switch', { name: 'Supply on' }).click()
  await builder.getByText('Supply on → on').waitFor()
  await builder.getByRole('slider', { name: 'Supply voltage' }).focus()
  await builder.keyboard.press('End')
  await builder.getByText(/Supply voltage → 5/).waitFor()
  await button(builder, 'Stop').click()
  await builder.getByRole('heading', { name: 'What was recorded' }).waitFor()

  // What is not shown to everyone is there for who has signed in.
  await student.goto(`${site.lab.http}/labs`)
  await student.getByRole('link', { name: 'Voltage divider' }).waitFor()
}

/** The builder closes the bench with a reason, sees its check fail, and puts it back. */
export async function tendABench({ site, builder, student, desk }: Cast): Promise<void> {
  await builder.goto(`${site.lab.http}/benches`)
  await builder.getByRole('link', { name: 'The shelf by the window' }).click()
  const state = builder.locator('main [class*=now]').first()
  await state.getByText('free').waitFor()
  await button(builder, 'Maintenance or closing hours').click()
  const dialog = builder.getByRole('dialog')
  await button(dialog, 'Close the bench now').click()
  await dialog.getByText('Say why, so that those who wait know.').waitFor()
  await dialog.getByLabel('Reason').fill('new fuse')
  await button(dialog, 'Close the bench now').click()
  await dialog.waitFor({ state: 'detached' })
  await state.getByText('in maintenance: new fuse').waitFor()
  await student.goto(`${site.lab.http}/labs/divider`)
  await student.getByText('No bench is up: your run will wait in the queue.').waitFor()
  await button(builder, 'Put it back: new fuse').click()
  await button(dialog, 'Put it back').click()
  await state.getByText('free').waitFor()

  const check = builder.getByRole('listitem').filter({ hasText: 'Lab network' })
  await check.getByText('passed').waitFor()
  await desk.unplug()
  await button(builder, 'Check now').click()
  await check.getByText('keeps the bench from runs').waitFor()
  await state.getByText(/the check Lab network failed: .*does not answer/).waitFor()
  await button(builder, 'Put it back').click()
  await dialog.getByText(/A check of it fails still/).waitFor()
  await button(dialog, 'Put it back').click()
  await state.getByText('free').waitFor()
  await desk.plugIn()
  await button(builder, 'Check now').click()
  await check.getByText('passed').waitFor()
  const history = builder.getByRole('list', { name: 'What became of the bench, newest first' })
  await history.getByText('new fuse, by Bo Lindqvist').waitFor()
  assert.is(await button(builder, 'Take the bench').count(), 0, 'driving it directly is for staff')
}
