import * as assert from 'uvu/assert'
import { comes } from '../../browser/support/browser.ts'
import { type Cast, course, ines, minute, nour } from '../support/cast.ts'
import { button, downloaded, keptOut, makeAccount, password, ways } from '../support/site.ts'

/** A student joins, sees what may be done, books, drives while the instructor watches, and takes it all home. */
export async function driveABench(cast: Cast): Promise<void> {
  const { site, links, instructor } = cast
  const { page: student } = await site.visitor('192.0.2.7')
  cast.student = student
  student.setDefaultTimeout(40_000)
  await student.goto(links.student)
  await makeAccount(student, nour, 'nour@school.example')
  await comes(() => ways(student), ['Labs', 'My runs', 'Calendar', 'Account'])
  await student.goto(`${site.lab.http}/labs/diode-iv`)
  await student.getByText(/^You may run this: 0 of 4 waiting or running/).click()
  const term = (name: string) => student.locator('dl > div').filter({ has: student.getByText(name, { exact: true }) })
  await term('Priority')
    .filter({ hasText: /\(.+\)$/ })
    .waitFor()

  await button(student, 'Book a time').click()
  const dialog = student.getByRole('dialog')
  await dialog.getByText(/You may book up to/).waitFor()
  await dialog.getByLabel('For how long').selectOption('15')
  await dialog.getByLabel('Note').fill('first try')
  // Not over for more than 25 s, of the minute that the hub lets pass, and not more than 35 s away.
  await dialog.getByLabel('Begins').fill(minute(Date.now() + 35_000))
  await button(dialog, 'Book a time').click()
  await dialog.getByText(/^Diode curve, .*The bench is kept for you\.$/).waitFor()
  await dialog.getByRole('link', { name: 'To my bookings' }).click()
  await student.getByRole('link', { name: /^Open the session: Diode curve/ }).click({ timeout: 90_000 })
  await button(student, 'Use the panel').click()
  cast.session = student.url().slice(-26)

  await instructor.goto(`${site.lab.http}/people/groups/optica-primavera`)
  await instructor.getByText(nour).first().waitFor()
  await instructor.getByRole('link', { name: `Watch: Diode curve, ${nour}` }).click()
  await instructor.getByText(`${nour} has the controls.`).waitFor()
  await student.getByText(`Also here: ${ines} (watching)`).waitFor()
  const supply = student.getByRole('switch', { name: 'Supply on' })
  await supply.click()
  await student.getByRole('slider', { name: 'Supply voltage' }).focus()
  await student.keyboard.press('End')
  await student.waitForFunction(
    () => Number(document.querySelector('[role=meter]')?.getAttribute('aria-valuenow') ?? 0) > 0.3,
  )
  await button(student, '5 min more').click()
  await student.getByText(/^(20:00|1[6-9]:\d\d) left$/).waitFor()
  await button(student, 'Finish').click()
  await button(student.getByRole('dialog'), 'Finish').click()
  await student.getByRole('heading', { name: 'What was recorded' }).waitFor()
  await instructor.getByRole('heading', { name: 'What was recorded' }).waitFor()
  const [head = '', ...rows] = await downloaded(student, student.getByRole('link', { name: /readings/ }))
  assert.match(head, /ammeter[._]current/)
  assert.ok(rows.length > 5, `${rows.length} rows`)
  await student.getByRole('link', { name: 'Chart, data and downloads' }).click()
  await student.locator('main canvas').first().waitFor()

  await student.goto(`${site.lab.http}/labs/membrane?protocol=step-current`)
  await student.getByRole('textbox', { name: /^Current/ }).fill('13.7')
  await button(student, 'Run').click()
  await student.waitForURL(/\/runs\/[0-9a-z]{26}/)
  await student.getByText('succeeded').first().waitFor()

  await student.goto(`${site.lab.http}/account`)
  await student.getByRole('heading', { name: 'Your groups and courses' }).waitFor()
  await student.getByText(course).waitFor()
  const own = JSON.parse((await downloaded(student, student.getByRole('link', { name: 'Download' }))).join('\n'))
  const text = JSON.stringify(own)
  for (const part of [nour, 'nour@school.example', cast.session, 'first try']) assert.ok(text.includes(part), part)
  for (const other of [ines, 'uma@school.example']) assert.not.ok(text.includes(other), other)
  await keptOut(student, site, ['/people', '/usage', '/benches', '/nodes', '/settings', '/audit'])
}

/** Somebody of the imported list comes by the letter's link, and chooses what another has chosen. */
export async function comeByLetter({ site }: Cast): Promise<void> {
  const { page: uma } = await site.visitor('192.0.2.8')
  const letter = await site.mail.letterTo('uma@school.example')
  await uma.goto(/http:\/\/\S+\/reset#token=\S+/.exec(letter)?.[0] ?? '')
  await uma.getByLabel('New password').fill('short')
  await button(uma, 'Save the password').click()
  await uma.getByText('Use at least 10 characters.').waitFor()
  await uma.getByLabel('New password').fill(password)
  await button(uma, 'Save the password').click()
  await uma.getByText('Your password is changed. Sign in with it.').waitFor()
  await uma.getByRole('link', { name: 'Sign in', exact: true }).click()
  await uma.getByLabel('Mail address').fill('uma@school.example')
  await uma.getByLabel('Password', { exact: true }).fill(password)
  await uma.keyboard.press('Enter')
  await uma.waitForURL(/\/labs$/)
  await uma.goto(`${site.lab.http}/labs/membrane?protocol=step-current`)
  await uma.getByRole('textbox', { name: /^Current/ }).fill('13.7')
  await button(uma, 'Run').click()
  await uma.waitForURL(/\/runs\/[0-9a-z]{26}/)
  await uma.getByText('succeeded').first().waitFor()
  await uma.goto(`${site.lab.http}/runs`)
  await uma
    .getByRole('link', { name: /Nerve membrane/ })
    .first()
    .waitFor()
  assert.is(await uma.getByText(nour).count(), 0, 'runs of others are not hers to see')
}
