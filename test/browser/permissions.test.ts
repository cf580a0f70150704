import { nothing } from '@fernlab/hub/permissions/effective'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('groups and permissions on the page', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('an admin makes a course within a group and puts people in, takes one out and undoes it', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people`)
  await page.getByRole('navigation', { name: 'People' }).getByRole('link', { name: 'Groups' }).click()
  await page.getByText('course, 1 Feb 2027 to 30 Jun 2027').waitFor()
  await page.getByRole('button', { name: 'Make a group' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Física 2')
  await comes(() => dialog.getByLabel('Id', { exact: true }).inputValue(), 'fisica-2')
  await dialog.getByLabel('Within').selectOption('school')
  await dialog.getByLabel('A course').check()
  await dialog.getByLabel('Begins').fill('2027-02-01T09:00')
  await dialog.getByRole('button', { name: 'Make a group' }).click()
  await page.waitForURL(`${hub.url}/people/groups/fisica-2`)
  await page.getByText('Nobody is in this group yet.').waitFor()
  await page.goto(`${hub.url}/people/groups/optics`)
  await page.getByRole('button', { name: 'Put people in' }).click()
  await dialog.getByLabel('Mail addresses').fill('ana@school.example\nnobody@x.example')
  await dialog.getByRole('button', { name: 'Put 2 people in' }).click()
  await dialog.getByText('nobody@x.example is nobody with an account here').waitFor()
  await dialog.getByLabel('Mail addresses').fill('ana@school.example')
  await dialog.getByRole('button', { name: 'Put 1 person in' }).click()
  await page.getByLabel('Role of Ana Ruiz').waitFor()
  await page.getByRole('button', { name: 'Take out: Ana Ruiz' }).click()
  await page.getByText('Ana Ruiz is out of this group.').waitFor()
  await page.getByLabel('Role of Ana Ruiz').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByLabel('Role of Ana Ruiz').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('a group is found by its name or an instructor, and who is in it by name or mail', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people/groups`)
  const optics = page.getByRole('link', { name: 'Optics, spring' })
  const school = page.getByRole('link', { name: 'School' })
  await school.waitFor()
  const field = page.getByRole('searchbox', { name: 'Find a group or an instructor' })
  await field.fill('optics, s')
  await school.waitFor({ state: 'detached' })
  await optics.waitFor()
  await field.fill('nothing of the kind')
  await page.getByText('No group has this name.').waitFor()
  await field.fill('')
  await optics.click()
  const members = page.getByRole('searchbox', { name: 'Find somebody by name or mail' })
  const bo = page.getByRole('region', { name: 'People' }).getByText('Bo Lindqvist')
  await bo.waitFor()
  await members.fill('chiam')
  await bo.waitFor({ state: 'detached' })
  await page
    .getByText(/^Chiamaka/)
    .first()
    .waitFor()
  await members.fill('nobody of this name')
  await page.getByText('Nobody here has this name or address.').waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('who could not be put into a group is said in Spanish', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES' })
  await page.route('**/api/v1/groups/optics/members', (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({
          status: 422,
          contentType: 'application/problem+json',
          json: {
            type: 'urn:members-invalid',
            title: 'members-invalid',
            status: 422,
            code: 'members-invalid',
            hint: 'Some of these people have no account here. Nothing was changed: mend what is listed.',
            issues: [{ path: 'add[0].who', message: 'ana@x.example is nobody with an account here' }],
          },
        })
      : route.fallback(),
  )
  await page.goto(`${hub.url}/people/groups/optics`)
  await page.getByRole('button', { name: 'Añadir personas' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('ana@x.example')
  await dialog.locator('button[type=submit]').click()
  await dialog.getByText('Algunas de estas personas no tienen cuenta aquí.').waitFor()
  await dialog.getByText('ana@x.example no tiene cuenta aquí').waitFor()
  await context.close()
})

test('what removing a group takes away is said before it is done', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people/groups/optics`)
  await page.getByRole('button', { name: 'Remove the group' }).click()
  const dialog = page.getByRole('dialog')
  for (const text of [
    '2 people are in it no more.',
    'Groups within it move out of it: monday.',
    '1 open invitation is taken back.',
    '1 permission ends.',
  ])
    await dialog.getByText(text).waitFor()
  await dialog.getByRole('button', { name: 'Remove the group' }).click()
  await page.waitForURL(`${hub.url}/people/groups`)
  await page.getByRole('heading', { name: 'Groups', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'Optics, spring' }).waitFor({ state: 'detached' })
  await context.close()
})

test('an admin gives a permission from a template, copies it, changes two after a look, and takes one away', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people/permissions`)
  await page.getByRole('heading', { name: 'everyone · every lab' }).waitFor()
  await page.getByRole('button', { name: 'Give a permission' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('To', { exact: true }).selectOption('role')
  await dialog.getByLabel('Begin with').selectOption('class')
  await comes(() => dialog.getByLabel('Bench time a day, min').inputValue(), '120')
  await dialog.getByLabel('Priority, 1 to 100').fill('0')
  await dialog.getByText('A whole number from 1 to 100').waitFor()
  await dialog.getByLabel('Priority, 1 to 100').fill('4')
  await dialog.getByLabel('Lab').selectOption('diode-iv')
  await dialog.getByRole('button', { name: 'Give a permission' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('heading', { name: /^all with the role student · / }).waitFor()
  await page.getByRole('button', { name: 'Copy: all with the role student' }).click()
  await dialog.getByLabel('Role').selectOption('builder')
  await dialog.getByRole('button', { name: 'Give a permission' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('checkbox', { name: 'Select: all with the role student' }).check()
  await page.getByRole('checkbox', { name: 'Select: all with the role lab builder' }).check()
  await page.getByRole('button', { name: 'Change 2 permissions' }).click()
  await dialog.getByLabel('Bench time a day, min').fill('30')
  await dialog.getByRole('button', { name: 'See what it would be' }).click()
  await dialog.getByText('all with the role student, diode-iv: 2 h 0 min becomes 30 min').waitFor()
  await dialog.getByRole('button', { name: 'Change 2 permissions' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page
    .getByText(/Bench time a day: 30 min/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Take away: all with the role student' }).click()
  await dialog.getByRole('button', { name: 'Take away' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('heading', { name: /^all with the role student/ }).waitFor({ state: 'detached' })
  await page.getByLabel('To', { exact: true }).selectOption('group')
  await page.getByRole('heading', { name: 'everyone · every lab' }).waitFor({ state: 'detached' })
  assert.match(page.url(), /kind=group/)
  assert.equal([...complaints], [])
  await context.close()
})

test('a permission holds from when until when, for some protocols', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people/permissions`)
  await page.getByRole('button', { name: 'Give a permission' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('To', { exact: true }).selectOption('everyone')
  await dialog.getByLabel('Lab').selectOption('diode-iv')
  await dialog.getByLabel('Only these protocols').fill('iv-curve, noise')
  await dialog.getByLabel('From', { exact: true }).fill('2027-03-28T01:30')
  await dialog.getByLabel('Until', { exact: true }).fill('2027-03-28T03:30')
  await dialog.getByLabel('Note').fill('open night')
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/api/v1/permissions')),
    dialog.getByRole('button', { name: 'Give a permission' }).click(),
  ])
  const { gives: _, ...scope } = request.postDataJSON()
  assert.equal(scope, {
    subject: { kind: 'everyone' },
    lab: 'diode-iv',
    protocols: ['iv-curve', 'noise'],
    // Half an hour before and after the clocks of Madrid go forward by one.
    from: '2027-03-28T00:30:00.000Z',
    until: '2027-03-28T01:30:00.000Z',
    note: 'open night',
  })
  await dialog.waitFor({ state: 'detached' })
  await page.getByText(/^open night · only iv-curve, noise · from 28 Mar 2027.* · until 28 Mar 2027/).waitFor()
  await page.getByRole('button', { name: 'Change: everyone' }).last().click()
  await comes(() => dialog.getByLabel('From', { exact: true }).inputValue(), '2027-03-28T01:30')
  await dialog.getByLabel('Until', { exact: true }).fill('')
  await dialog.getByLabel('Only these protocols').fill('')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText(/^open night · from 28 Mar 2027/).waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin makes a template, copies it, gives it to many, and removes it and undoes that', async () => {
  const { page, context, complaints } = await visit(browser, { phone: true, scheme: 'dark' })
  await page.goto(`${hub.url}/people/permissions`)
  await page.getByRole('link', { name: 'Templates' }).click()
  await page.waitForURL(/\/people\/permissions\/templates$/)
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Make a template' }).click()
  await dialog.getByLabel('What it is called').fill('Física, año 1')
  await comes(() => dialog.getByLabel('Name on the command line').inputValue(), 'fisica-ano-1')
  await dialog.getByLabel('Reservations at once').fill('4')
  await dialog.getByRole('button', { name: 'Make a template' }).click()
  await page.getByRole('heading', { name: 'Física, año 1' }).waitFor()
  await page.getByText(/Reservations at once: 4/).waitFor()
  await page.getByRole('button', { name: 'Copy: A class' }).click()
  await comes(() => dialog.getByLabel('What it is called').inputValue(), 'A class, copy')
  await dialog.getByLabel('Name on the command line').fill('class')
  await dialog.getByText('There is one with this name.').waitFor()
  await dialog.getByLabel('Name on the command line').fill('class-2')
  await dialog.getByRole('button', { name: 'Make a template' }).click()
  await page.getByText('class-2').waitFor()
  await page.getByRole('button', { name: 'Change: Física, año 1' }).click()
  await dialog.getByLabel('Reservations at once').fill('6')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText(/Reservations at once: 6/).waitFor()

  await page.getByRole('button', { name: 'Give to many: A class', exact: true }).click()
  await dialog.getByRole('checkbox', { name: 'School' }).check()
  await dialog.getByRole('checkbox', { name: 'Optics, spring' }).check()
  await dialog.getByRole('checkbox', { name: 'RC circuit' }).check()
  await comes(() => dialog.getByRole('checkbox', { name: 'every lab' }).isChecked(), false)
  await dialog.getByRole('checkbox', { name: 'Diode curve' }).check()
  await dialog.getByRole('button', { name: 'See what it would be' }).click()
  await dialog.getByText('School · RC circuit').waitFor()
  await dialog.getByText('1 is left out: the same is given already.').waitFor()
  await dialog.getByRole('button', { name: 'Give 3 permissions' }).click()
  await page.getByText('3 permissions are given.').waitFor()

  await page.getByRole('button', { name: 'Remove: Física, año 1' }).click()
  await page.getByText('“Física, año 1” is removed.').waitFor()
  await page.getByRole('heading', { name: 'Física, año 1' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).press('Enter')
  await page.getByRole('heading', { name: 'Física, año 1' }).waitFor()
  assert.equal([...complaints], [])
  await context.close()
})

test('an admin takes several permissions away at once, after a question', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/people/permissions`)
  await page.getByRole('checkbox', { name: 'Select: everyone' }).check()
  await page.getByRole('checkbox', { name: 'Select: Optics, spring' }).check()
  await page.getByRole('button', { name: 'Take 2 away' }).click()
  const dialog = page.getByRole('dialog', { name: 'Take 2 permissions away?' })
  await dialog.getByText(/Optics, spring · /).waitFor()
  await dialog.getByRole('button', { name: 'Take away' }).click()
  await page.getByText('No permissions here').waitFor()
  assert.is(await page.getByRole('button', { name: /^Take/ }).count(), 0)
  assert.equal([...complaints], [])
  await context.close()
})

test('an instructor looks at permissions and changes none; a student sees none of them', async () => {
  hub.role = 'instructor'
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/people/permissions`)
  await page.getByRole('heading', { name: 'everyone · every lab' }).waitFor()
  assert.is(await page.locator('main').getByRole('button').count(), 0)
  await page.goto(`${hub.url}/people/permissions/templates`)
  await page.getByRole('heading', { name: 'A class' }).waitFor()
  assert.is(await page.locator('main').getByRole('button').count(), 0)
  await context.close()
  hub.role = 'student'
  const pupil = await visit(browser)
  await pupil.page.goto(`${hub.url}/people/permissions`)
  await pupil.page.getByText('This page is for staff.').waitFor()
  await pupil.page.goto(`${hub.url}/people/groups`)
  await pupil.page.getByText('(member)').first().waitFor()
  assert.is(await pupil.page.getByRole('button', { name: 'Make a group' }).count(), 0)
  await pupil.context.close()
})

test('a student reads on the lab’s page what they may and which permission gave it', async () => {
  hub.role = 'student'
  hub.permissions.may = { gives: { ...usualTerms, mostOpen: 5, dayS: 7200 } }
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const line = page.getByText('You may run this: 1 of 5 waiting or running, 12 min of 2 h 0 min used today')
  await line.click()
  await page.getByText('Bench time a day').waitFor()
  assert.ok((await page.getByText('(everyone)').count()) > 5)
  assert.equal([...complaints], [])
  await context.close()
})

test('without a permission the form says so and whom to ask', async () => {
  hub.role = 'student'
  hub.permissions.may = { gives: nothing, sources: {}, permissions: [], protocols: [] }
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByText('You may not run this lab yet. Ask Bo Lindqvist.').waitFor()
  assert.ok(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled())
  hub.permissions.may = { ...hub.permissions.may, protocols: ['frequency-response'] }
  await page.reload()
  await page.getByText('You may not run this protocol. Ask Bo Lindqvist.').waitFor()
  await context.close()
})

test('whoever is signed in joins the group of an invitation with the account that they have', async () => {
  hub.intoGroup = true
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/join#token=once`)
  await page.getByText('Bo Lindqvist invites you into Optics, spring.').waitFor()
  await page.getByRole('button', { name: 'Join Optics, spring' }).click()
  await page.waitForURL(`${hub.url}/labs`)
  assert.equal([...complaints], [])
  await context.close()
})

test.run()
