import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { openBrowser, type VisitOptions, visit } from './support/browser.ts'
import { type FakeHub, startFakeHub } from './support/fake-hub.ts'

const test = suite('every page, by day and by night, wide and narrow', { timeoutMs: 400_000, fileTimeoutMs: 1_500_000 })

let hub: FakeHub
let browser: Browser
/** An address, and what is done there before one looks. */
type Place = string | readonly [path: string, act: (page: Page) => Promise<unknown>]
let pages: Readonly<Record<string, Place>>
let dialogs: Readonly<Record<string, Place>>

/** Opens a dialog, and presses a button of it if one is named. */
const press = (name: string, then?: string) => async (page: Page) => {
  await page.getByRole('button', { name, exact: true }).last().click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  if (then) await dialog.getByRole('button', { name: then, exact: true }).click()
}

test.before(async () => {
  hub = await startFakeHub()
  browser = await openBrowser()
  const done = hub.addRun()
  for (let i = 0; i < 53; i++) done.advance()
  const failed = hub.addRun()
  for (let i = 0; i < 12; i++) failed.advance()
  failed.end('failed', { reason: 'The meter stopped answering.', missingOutputs: { tau: 'too few points' } })
  const waiting = hub.addRun({ position: 2, estimatedStart: new Date(Date.now() + 370_000).toISOString() })
  const running = hub.addRun()
  for (let i = 0; i < 20; i++) running.advance()
  const session = (more: Parameters<FakeHub['addSession']>[0]) => `/sessions/${hub.addSession(more).session.id}`
  const driven = hub.addSession()
  const hourMs = 3_600_000
  hub.bookings.add(Date.now() - hourMs / 2, { note: 'first measurements' })
  hub.bookings.add(Date.now() + 30 * hourMs, { lab: 'membrane', trouble: 'no bench is left for it' })
  hub.bookings.add(Date.now() + 50 * hourMs, { state: 'cancelled', note: 'not today' })
  hub.bookings.add(Date.now() + hourMs, { person: { id: 'p2', name: 'Bo Lindqvist' } })
  pages = {
    'live session': [
      `/sessions/${driven.session.id}`,
      async (page) => {
        await page.getByRole('switch').first().waitFor()
        driven.read(Date.now() / 1000, {
          'psu.voltage': 5,
          'psu.output': true,
          'dmm.voltage': 4.97,
          'fgen.output': false,
        })
        await page.locator('canvas').first().waitFor()
      },
    ],
    'live session with sweeps': [session({ lab: 'membrane' }), (page) => page.locator('canvas').first().waitFor()],
    'watched session': session({ lab: 'diode-iv', person: { id: 'p2', name: 'Bo Lindqvist' } }),
    'session on a server of the lab': session({ ownServer: true }),
    'waiting for a session': session({ state: 'waiting', position: 2 }),
    'bench being prepared': session({ state: 'preparing' }),
    'bench being cleaned up': session({ state: 'finishing' }),
    'session that is over': session({ state: 'closed', activeAt: new Date().toISOString() }),
    'a partner’s link': '/sessions/join#token=once',
    'everybody’s runs': '/runs?whose=all',
    'recurring runs': '/recurring',
    'a recurring run': '/recurring/calibration',
    'sign-in': '/sign-in',
    'set-up': '/setup#token=once',
    join: '/join#token=once',
    'an invitation that is over': '/join#token=old',
    forgot: '/forgot',
    registering: '/register',
    'the link of a registration': '/register#token=once',
    'the link to a new address': '/confirm-address#token=once',
    reset: '/reset#token=once',
    catalogue: '/labs',
    lab: '/labs/rc-circuit',
    'finished run': `/runs/${done.run.id}`,
    'failed run': `/runs/${failed.run.id}`,
    'waiting run': `/runs/${waiting.run.id}`,
    'running run': `/runs/${running.run.id}`,
    'my runs': '/runs',
    calendar: '/calendar?view=grid&lab=rc-circuit',
    'calendar as a list': '/calendar?view=list&lab=rc-circuit',
    'my bookings': '/calendar/bookings',
    'bookings that were cancelled': '/calendar/bookings?whose=all&show=cancelled',
    'bookings of everybody': '/calendar/bookings?whose=all',
    benches: '/benches',
    bench: '/benches/demo.rc-1',
    nodes: '/nodes',
    services: '/services',
    node: '/nodes/demo',
    'a node that is away': '/nodes/physics-2',
    'usage of the site': '/usage',
    'usage of a course': '/usage?course=optics&lab=rc-circuit&standing=open&sort=-time',
    'single uses': '/usage/uses',
    'a use': '/usage/uses/01u00000000000000000000001',
    people: '/people',
    groups: '/people/groups',
    group: '/people/groups/optics',
    permissions: '/people/permissions',
    templates: '/people/permissions/templates',
    account: '/account',
    settings: '/settings',
    'audit log': '/audit',
    'no such page': '/nowhere',
    'reset link without its secret': '/reset',
    'set-up link without its secret': '/setup',
    documentation: '/docs',
  }
  dialogs = {
    'finishing a session': [`/sessions/${driven.session.id}`, press('Finish')],
    'inviting a partner': [`/sessions/${driven.session.id}`, press('Invite a partner')],
    'a lost connection': [
      `/sessions/${driven.session.id}`,
      async (page) => {
        await page.getByRole('switch').first().waitFor()
        driven.isDeaf = true
        driven.cut()
        await page.getByText(/^The connection is lost/).waitFor()
        driven.isDeaf = false
      },
    ],
    'letting a run recur': ['/labs/rc-circuit', press('Repeat…')],
    'booking a time': ['/labs/rc-circuit', press('Book a time')],
    'booking every week': ['/calendar?lab=rc-circuit', press('Every week…', 'See what is free')],
    'the times of a series': [
      '/calendar?lab=rc-circuit',
      async (page) => {
        await press('Every week…')(page)
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Monday').check()
        await dialog.getByLabel('Last day').fill(new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10))
        await dialog.getByRole('button', { name: 'See what is free' }).click()
        await dialog.getByRole('list', { name: 'The times' }).waitFor()
      },
    ],
    'a time that is taken': [
      '/calendar/bookings?whose=all',
      async (page) => {
        await page
          .getByRole('button', { name: /^Change: RC circuit/ })
          .last()
          .click()
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Note').fill('in the way')
        await dialog.getByLabel('For how long').selectOption('480')
        await dialog.getByText(/: (free|taken)$/).waitFor()
      },
    ],
    'cancelling a booking': [
      '/calendar/bookings',
      async (page) => {
        await page
          .getByRole('button', { name: /^Cancel the booking/ })
          .first()
          .click()
        await page.getByRole('dialog').waitFor()
      },
    ],
    'leaving the queue': [`/runs/${waiting.run.id}`, press('Leave the queue')],
    'stopping a run': [`/runs/${running.run.id}`, press('Stop the run')],
    'calibrating a signal': [
      '/benches/demo.rc-1',
      async (page) => {
        await press('Calibrate a signal')(page)
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Points, in V').fill('0 0.1\n1 1.2\n2 2\n3 x')
        await dialog.getByRole('button', { name: 'Put in force' }).click()
        await dialog.locator('canvas').nth(1).waitFor()
        await dialog.getByText('Line 4: give a raw value and the true one.').waitFor()
      },
    ],
    'undoing a calibration': ['/benches/demo.rc-1', press('Undo: supply.voltage')],
    'an instrument of a find': ['/nodes/demo', press('Make it an instrument: Arduino Uno')],
    'enrolling a node': ['/nodes', press('Enrol a node')],
    'revoking a node': ['/nodes', press('Revoke')],
    'inviting people': ['/people', press('Invite people')],
    'making a group': ['/people/groups', press('Make a group')],
    'changing a course': ['/people/groups/optics', press('Change the group')],
    'putting people in': ['/people/groups/optics', press('Put people in')],
    'a template': ['/people/permissions/templates', press('Make a template')],
    'giving a template to many': ['/people/permissions/templates', press('Give to many: A class')],
    'giving a permission': ['/people/permissions', press('Give a permission')],
    'importing a list': ['/people', press('Import a list')],
    'a list to import': [
      '/people',
      async (page) => {
        await press('Import a list')(page)
        await page
          .locator('input[type="file"]')
          .setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('name,email\nFay,fay@x.example') })
        await page.getByText('fay@x.example').waitFor()
      },
    ],
    'a list with mistakes': [
      '/people',
      async (page) => {
        await press('Import a list')(page)
        await page
          .locator('input[type="file"]')
          .setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('name,email\nFay,fay') })
        await page.getByText('line 2: "fay" is not a mail address').waitFor()
      },
    ],
    'inviting into a group': [
      '/people',
      async (page) => {
        await press('Invite people')(page)
        const dialog = page.getByRole('dialog')
        await dialog.getByLabel('Into the group').selectOption('optics')
        await dialog.getByLabel('Only for people who have an account').waitFor()
      },
    ],
    'removing a node': ['/nodes', press('Remove: physics-2')],
    'removing a group': ['/people/groups/optics', press('Remove the group')],
    'taking a permission away': ['/people/permissions', press('Take away: everyone')],
    'changing several permissions': [
      '/people/permissions',
      async (page) => {
        for (const whom of ['everyone', 'Optics, spring']) await page.getByLabel(`Select: ${whom}`).check()
        await press('Change 2 permissions')(page)
      },
    ],
    'taking a second factor away': ['/people', press('Reset the second factor of Bo Lindqvist')],
    'closing several benches': [
      '/benches',
      async (page) => {
        await page.getByRole('button', { name: 'Select these' }).click()
        await press('Maintenance of 3 benches', 'Close 3 benches now')(page)
        await page.getByText('Say why, so that those who wait know.').waitFor()
      },
    ],
    'closing a bench every week': [
      '/benches/demo.rc-1',
      async (page) => {
        await press('Maintenance or closing hours')(page)
        await page.getByRole('dialog').getByLabel('When', { exact: true }).selectOption('weekly')
      },
    ],
    'an invitation’s link': ['/people', press('Invite people', 'Make the link')],
    'taking an invitation back': ['/people', press('Take back: Physics 2, spring')],
    'closing the account': ['/account', press('Close the account')],
    'beginning a second factor': ['/account', press('Set it up')],
    'changing the address': ['/account', press('Change the mail address')],
    'another name': ['/account', (page) => page.getByRole('button', { name: 'Change the name' }).click()],
    'signing out everywhere else': ['/account', press('Sign out all others')],
    'adding a passkey': ['/account', press('Add a passkey')],
    'leaving a group': ['/account', press('Leave: Electronics club')],
    'revoking all tokens': ['/account', press('Revoke all')],
    'revoking the tokens of somebody': ['/people', press('Revoke the tokens of Bo Lindqvist')],
    'the filters of the audit log': [
      '/audit',
      async (page) => {
        const fold = page.getByRole('button', { name: 'Filters' })
        if (await fold.isVisible()) await fold.click()
        await page.getByLabel('What', { exact: true }).waitFor()
      },
    ],
    'a new token': ['/account', press('Create a token')],
    'a wrong new token': ['/account', press('Create a token', 'Create a token')],
    'the code of a node': [
      '/nodes',
      async (page) => {
        await press('Enrol a node')(page)
        await page.getByRole('dialog').getByLabel('Name').fill('physics-3')
        await page.keyboard.press('Enter')
        await page.getByText('K7QM-4XWD-9RTB').first().waitFor()
      },
    ],
    'the secret of a token': [
      '/account',
      async (page) => {
        await press('Create a token')(page)
        await page.getByRole('dialog').getByLabel('Name').fill('notebook')
        await page.keyboard.press('Enter')
        await page.getByText('fl_3Jx8mQ2vZt7KpWc5Rb9LnYd4').first().waitFor()
      },
    ],
    downloads: [
      `/runs/${done.run.id}`,
      async (page) => {
        await page.getByRole('button', { name: 'Download' }).click()
        await page.getByRole('menuitem').first().waitFor()
      },
    ],
    'wrong values': ['/labs/rc-circuit', (page) => page.getByLabel(/^Step/).first().fill('12 mA')],
    'a wrong password': [
      '/sign-in',
      async (page) => {
        await page.getByLabel('Mail address').fill('ana@school.example')
        await page.getByLabel('Password', { exact: true }).fill('no')
        await page.keyboard.press('Enter')
        await page.getByRole('alert').waitFor()
      },
    ],
    'no lab matches': ['/labs?q=nothing', (page) => page.getByText('No lab matches').waitFor()],
    // Last: who looks is a lab builder from here on.
    'putting a bench back': [
      '/benches/demo.rc-1',
      async (page) => {
        hub.role = 'builder'
        hub.unclean.add('demo.rc-1')
        await page.reload()
        await press('Put it back')(page)
      },
    ],
  }
})

test.before.each(() => {
  hub.empty = false
  hub.role = 'admin'
  hub.unclean.clear()
})

test.after(async () => {
  await browser?.close()
  await hub?.close()
})

/** The page has drawn what it has: no placeholder is left and nothing is on its way. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1, h2')
  await page.waitForFunction(() => document.querySelector('[class*="mantine-Skeleton"]') === null)
  await page.evaluate(() => document.fonts.ready)
}

/** What keeps somebody out of these places, and what the page complained about on the way. */
async function barriersIn(places: Readonly<Record<string, Place>>, visitor: VisitOptions): Promise<string[]> {
  const { page, context, complaints } = await visit(browser, visitor)
  const barriers: string[] = []
  for (const [name, place] of Object.entries(places)) {
    const [path, act] = typeof place === 'string' ? [place] : place
    await page.goto(hub.url + path)
    await settled(page)
    await act?.(page)
    await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'))
    const found = await barriersOn(page)
    barriers.push(...found.map(({ id, html }) => `${name}: ${id}: ${html.slice(0, 160)}`))
    const [wanted = 0, given = 0] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ])
    if (wanted > given) barriers.push(`${name} is ${wanted} px wide in ${given}`)
  }
  await context.close()
  return [...barriers, ...new Set(complaints)]
}

test('a barrier is seen where there is one', async () => {
  const { page, context } = await visit(browser)
  await page.setContent('<html lang="en"><title>A page</title><main><h1>A page</h1><button></button></main></html>')
  assert.equal(await barriersOn(page), [{ id: 'button-name', html: '<button></button>' }])
  await context.close()
})

for (const scheme of ['light', 'dark'] as const) {
  for (const phone of [false, true]) {
    const how = `${scheme}, ${phone ? 'phone' : 'desktop'}`
    test(`${how}: no barrier, no complaint, nothing to scroll sideways`, async () => {
      assert.equal(await barriersIn(pages, { scheme, phone }), [])
    })
  }
}

// Each look and each width once; the pages above were seen in all four.
for (const visitor of [
  { scheme: 'light', phone: false },
  { scheme: 'dark', phone: true },
] as const) {
  const how = `${visitor.scheme}, ${visitor.phone ? 'phone' : 'desktop'}`

  test(`${how}: no barrier in what opens, warns or asks`, async () => {
    assert.equal(await barriersIn(dialogs, visitor), [])
  })

  test(`${how}: no barrier on the first day of a hub`, async () => {
    hub.empty = true
    const lists = Object.fromEntries(['/labs', '/runs', '/benches', '/nodes', '/account'].map((path) => [path, path]))
    assert.equal(await barriersIn(lists, visitor), [])
  })

  test(`${how}: Spanish, whose words are longer, has no barrier either`, async () => {
    assert.equal(await barriersIn(pages, { ...visitor, language: 'es-ES' }), [])
  })
}

test('lists of a new hub say what they will show and offer the first step', async () => {
  hub.empty = true
  const { page, context } = await visit(browser)
  for (const [path, step] of [
    ['/labs', 'npx fernlab lab push DIR'],
    ['/benches', 'Enrol a node'],
    ['/nodes', 'Enrol a node'],
  ] as const) {
    await page.goto(hub.url + path)
    await page.getByText(step).first().waitFor()
  }
  hub.role = 'student'
  await page.goto(`${hub.url}/labs`)
  await page.getByText('None has been added yet.').waitFor()
  assert.is(await page.getByText('npx fernlab lab push').count(), 0)
  await context.close()
})

test.run()
