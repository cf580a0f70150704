import * as assert from 'uvu/assert'
import { comes } from '../../browser/support/browser.ts'
import { appWith } from '../../integration/accounts/authenticator-app.ts'
import { type Cast, course, ines, nour } from '../support/cast.ts'
import { button, downloaded, password } from '../support/site.ts'

/** The instructor sees who of the course did what. */
export async function lookAtTheCourse({ site, instructor }: Cast): Promise<void> {
  await instructor.goto(`${site.lab.http}/usage`)
  await instructor.getByText('2 of 3 people used a lab in these days.').waitFor()
  const of = instructor.getByLabel('Of', { exact: true }).getByRole('option')
  await comes(() => of.allTextContents(), ['Choose a course', course], 'the whole site is for admins')
  const row = (name: string) => instructor.getByRole('row', { name })
  await row(`${nour} 2`).getByText('Diode curve ×1').waitFor()
  await row('Uma Okafor 1').getByText('Nerve membrane ×1').waitFor()
  await row('Hal Roth 0').getByText('not in these days').waitFor()
  const heat = instructor.getByRole('region', { name: 'When in the week' })
  await heat.locator('td[data-shade="5"]').first().waitFor()
  await instructor.getByText(/^Nerve membrane, step-current: current = 13\.7/).waitFor()
  const hint = instructor.getByRole('listitem').filter({ hasText: 'current = 13.7' })
  for (const name of [nour, 'Uma Okafor']) await hint.getByRole('link', { name }).waitFor()
  const table = await downloaded(instructor, instructor.getByRole('link', { name: 'Who did what, as CSV' }))
  assert.is(table.length, 5, 'a head, and a line for each person and lab')
  for (const name of [nour, 'Uma Okafor', 'Hal Roth'])
    assert.ok(
      table.some((line) => line.includes(name)),
      name,
    )

  await row(nour).getByRole('link', { name: nour }).click()
  await instructor.getByText(`Uses of ${nour}.`).waitFor()
  const session = instructor.getByRole('listitem').filter({ hasText: 'live session' })
  await session.getByText('1 file taken').waitFor()
  await session.getByRole('link').first().click()
  const given = instructor.getByRole('region', { name: 'Commands' }).last()
  await given
    .getByText(/^set psu\.voltage/)
    .first()
    .waitFor()
  const taken = instructor.getByRole('region', { name: 'Results taken as files' }).last()
  await taken.getByText('data.csv').waitFor()
  await taken.getByText(nour).waitFor()
}

/** An instructor takes a second factor and loses it; an admin resets it. */
export async function loseASecondFactor({ site, instructor, admin }: Cast): Promise<void> {
  await instructor.goto(`${site.lab.http}/account`)
  await button(instructor, 'Set it up').click()
  const dialog = instructor.getByRole('dialog')
  await dialog.getByLabel('Password', { exact: true }).fill(password)
  await button(dialog, 'Go on').click()
  const secret = (await dialog.locator('code').textContent()) ?? ''
  await dialog.getByLabel('Code').fill(appWith(secret)())
  await button(dialog, 'Turn it on').click()
  await button(dialog, 'I have kept them').click()
  await instructor.getByText('On. 8 recovery codes are left.').waitFor()

  await admin.goto(`${site.lab.http}/people?q=ines`)
  await button(admin, `Reset the second factor of ${ines}`).click()
  await button(admin.getByRole('dialog'), 'Reset second factor').click()
  await admin.getByText('It is off.').waitFor()
  await admin.goto(`${site.lab.http}/people?q=hal`)
  await admin.getByLabel('Role of Hal Roth').selectOption({ label: 'lab builder' })
  await admin.getByText('Hal Roth is now lab builder.').waitFor()
}

/** The admin sees the whole site, where people came from, and who changed what. */
export async function lookAtTheSite({ site, admin }: Cast): Promise<void> {
  await admin.goto(`${site.lab.http}/usage`)
  const facts = admin.locator('main dl').first()
  await facts.getByText('4', { exact: true }).waitFor()
  await admin.getByText(/^Looked up when each was asked for, in .* of /).waitFor()
  const spain = admin.getByRole('listitem').filter({ hasText: 'Spain' })
  await spain.getByText('2 uses, people: 2').waitFor()
  const countries = await downloaded(admin, admin.getByRole('link', { name: 'Countries, as CSV' }))
  assert.ok(
    countries.some((line) => /\bES\b/.test(line)),
    countries.join('\n'),
  )
  for (const title of ['Benches', 'Labs', 'Waiting by hour', 'When in the week']) {
    await admin.getByRole('heading', { name: title, level: 2 }).waitFor()
  }

  await admin.goto(`${site.lab.http}/settings`)
  await admin.getByRole('link', { name: 'Open the audit log' }).click()
  const entry = (action: string, what: string) =>
    admin.getByRole('listitem').filter({ hasText: action }).filter({ hasText: what }).first()
  await entry('person.role', 'student → builder').waitFor()
  await entry('person.role', 'Hal Roth').waitFor()
  await entry('bench.put-back', 'Bo Lindqvist').waitFor()
  await admin.getByLabel('What', { exact: true }).fill('settings')
  await button(admin, 'Find').click()
  await entry('person.role', '').waitFor({ state: 'detached' })
  await entry('settings.retention', 'dataDays: nothing → 400').waitFor()
  await entry('settings.scheduling', 'graceMinutes: 10 → 12').waitFor()
  const log = await downloaded(admin, admin.getByRole('link', { name: 'Download as CSV' }))
  assert.ok(log.length > 3 && log.slice(1).every((line) => line.includes('settings.')), log.join('\n'))
}
