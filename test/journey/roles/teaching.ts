import * as assert from 'uvu/assert'
import { comes } from '../../browser/support/browser.ts'
import { type Cast, course, day, ines, weekday } from '../support/cast.ts'
import { button, invite, keptOut, makeAccount, ways } from '../support/site.ts'

/** An instructor makes a course, imports its list and books benches for it. */
export async function makeTheCourse(cast: Cast): Promise<void> {
  const { site, links } = cast
  const { page: instructor } = await site.visitor('198.51.100.2')
  cast.instructor = instructor
  await instructor.goto(links.instructor)
  await instructor.getByText('Ada Fern invites you to join as instructor.').waitFor()
  await makeAccount(instructor, ines, 'ines@school.example')
  await comes(
    () => ways(instructor),
    [...['Labs', 'My runs', 'Calendar', 'Benches', 'Nodes', 'Services', 'People', 'Usage', 'Account']],
  )
  await keptOut(instructor, site, ['/settings', '/audit'])
  await instructor.goto(`${site.lab.http}/usage`)
  await instructor.getByText('You teach no course yet').waitFor()

  await instructor.goto(`${site.lab.http}/people/groups`)
  await instructor.getByText('No groups yet').waitFor()
  await button(instructor, 'Make a group').first().click()
  const dialog = instructor.getByRole('dialog')
  await dialog.getByLabel('Name').fill(course)
  await dialog.getByLabel('A course').check()
  await dialog.getByLabel('Ends').fill(`${day(120)}T12:00`)
  await button(dialog, 'Make a group').click()
  await instructor.waitForURL(/\/people\/groups\/optica-primavera$/)
  await instructor.getByLabel(`Role of ${ines}`).waitFor()

  await instructor.goto(`${site.lab.http}/people`)
  await button(instructor, 'Import a list').click()
  await dialog.getByLabel('Into the group').selectOption({ label: course })
  const choose = (text: string) =>
    dialog
      .locator('input[type="file"]')
      .setInputFiles({ name: 'class.csv', mimeType: 'text/csv', buffer: Buffer.from(`\ufeff${text}`) })
  await choose('name;email\nUma Okafor;uma@school.example\nHal;nonsense\n;eve@school.example\n')
  await dialog.getByText('line 3: "nonsense" is not a mail address').waitFor()
  await dialog.getByText('line 4: there is no name').waitFor()
  await comes(() => button(dialog, 'Make 0 accounts').isDisabled(), true)
  await choose('name;email\nUma Okafor;uma@school.example\nHal Roth;hal@school.example\n')
  await dialog.getByRole('row', { name: /2 Uma Okafor uma@school.example student optica-primavera new/ }).waitFor()
  await button(dialog, 'Make 2 accounts').click()
  await dialog.getByText(/^2 accounts were made. Each person gets a letter/).waitFor()
  await button(dialog, 'Done').click()
  links.student = await invite(instructor, 'student', course)

  await instructor.goto(`${site.lab.http}/calendar?lab=rc-circuit`)
  await button(instructor, 'Every week…').click()
  const days = dialog.getByRole('group', { name: 'On which days' })
  await days.getByLabel(weekday(1)).waitFor()
  for (const box of await days.getByRole('checkbox').all()) await box.uncheck()
  await days.getByLabel(weekday(1)).check()
  await dialog.getByLabel('Begins').fill('10:00')
  await dialog.getByLabel('First day').fill(day(1))
  await dialog.getByLabel('Last day').fill(day(17))
  await dialog.getByLabel('For a group').selectOption({ label: course })
  await dialog.getByLabel('Benches at once').fill('2')
  await button(dialog, 'See what is free').click()
  await dialog.getByText('All 3 times are free. Nothing is booked yet.').waitFor()
  await button(dialog, 'Book all 3').click()
  await dialog.getByText('3 times of RC circuit are booked.').waitFor()
  await button(dialog, 'Close').last().click()
  await instructor.goto(`${site.lab.http}/calendar/bookings`)
  const booked = instructor.getByRole('listitem').filter({ hasText: 'every week' })
  await booked.first().waitFor()
  await comes(() => booked.count(), 3)
  await booked
    .first()
    .getByText(new RegExp(`2 benches.*every week.*${course}`))
    .waitFor()

  await instructor.goto(`${site.lab.http}/people/permissions`)
  await instructor.getByRole('heading', { name: 'everyone · every lab' }).waitFor()
  assert.is(await button(instructor, 'Give a permission').count(), 0, 'that is for admins')
}

/** An admin says what the people of the course may. */
export async function givePermissions(cast: Cast): Promise<void> {
  const { site, admin } = cast
  await admin.goto(`${site.lab.http}/people/permissions/templates`)
  await button(admin, 'Give to many: A class').click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByRole('checkbox', { name: course }).check()
  await dialog.getByRole('checkbox', { name: 'Diode curve' }).check()
  await dialog.getByLabel('Note').fill('lab course')
  await button(dialog, 'See what it would be').click()
  await dialog.getByText(`${course} · Diode curve`).waitFor()
  await button(dialog, 'Give 1 permission').click()
  await admin.getByText('1 permission is given.').waitFor()
  await admin.getByRole('link', { name: 'Permissions' }).click()
  await admin.getByRole('heading', { name: `${course} · Diode curve` }).waitFor()
  await admin.getByRole('checkbox', { name: 'Select: everyone' }).check()
  await admin.getByRole('checkbox', { name: `Select: ${course}` }).check()
  await button(admin, 'Change 2 permissions').click()
  await dialog.getByLabel('What to change').selectOption({ label: 'Reservations at once' })
  await dialog.getByLabel('Reservations at once').last().fill('4')
  await button(dialog, 'See what it would be').click()
  await dialog.getByText(`everyone, every lab: no limit becomes 4`).waitFor()
  await button(dialog, 'Change 2 permissions').click()
  await dialog.waitFor({ state: 'detached' })
  await admin
    .getByText(/Reservations at once: 4/)
    .first()
    .waitFor()
}
