import * as assert from 'uvu/assert'
import { comes } from '../../browser/support/browser.ts'
import { type Cast, nour } from '../support/cast.ts'
import { button, keptOut, makeAccount, ways } from '../support/site.ts'

/** A guest looks on: no bench, no place in line, nothing of anybody's. */
export async function lookOn({ site, links, session }: Cast): Promise<void> {
  const { page: guest } = await site.visitor('198.51.100.4')
  await guest.goto(links.guest)
  await guest.getByText('Ada Fern invites you to join as guest.').waitFor()
  await makeAccount(guest, 'Gil Ortega', 'gil@elsewhere.example')
  await comes(() => ways(guest), ['Labs', 'My runs', 'Account'])
  await guest.goto(`${site.lab.http}/labs/diode-iv`)
  await guest.getByText('Guests look on; ask for an invitation as student.').first().waitFor()
  await comes(() => button(guest, 'Run').isDisabled(), true)
  await comes(() => button(guest, 'Drive it live').isDisabled(), true)
  assert.is(await button(guest, 'Book a time').count(), 0)
  for (const path of [`/runs/${session}`, `/sessions/${session}`, '/people/groups/optica-primavera']) {
    await guest.goto(`${site.lab.http}${path}`)
    await guest.getByRole('heading', { name: 'There is no such page' }).waitFor()
    assert.is(await guest.getByText(nour).count(), 0, path)
  }
  await keptOut(guest, site, ['/benches', '/nodes', '/people', '/usage', '/settings', '/audit'])
}

/** A stranger sees the labs that are for everyone, and comes in by registering, with an address that may. */
export async function register({ site, session }: Cast): Promise<void> {
  const { page: stranger } = await site.visitor('198.51.100.5')
  await stranger.goto(site.lab.http)
  await stranger.getByRole('link', { name: 'Diode curve' }).waitFor()
  await comes(() => ways(stranger), ['Labs', 'Sign in'])
  assert.is(await stranger.getByRole('link', { name: 'Voltage divider' }).count(), 0)
  await stranger.goto(`${site.lab.http}/runs/${session}`)
  await stranger.waitForURL(/\/sign-in\?next=/)
  await stranger.getByRole('link', { name: 'Make an account' }).click()
  await stranger.getByText('Use your address at school.example.').waitFor()
  await stranger.getByLabel('Your name').fill('Zoé Ndiaye')
  await stranger.getByLabel('Mail address').fill('zoe@elsewhere.example')
  await button(stranger, 'Send me the link').click()
  await stranger.getByRole('alert').waitFor()
  await stranger.getByLabel('Mail address').fill('zoe@school.example')
  await button(stranger, 'Send me the link').click()
  await stranger.getByText('A letter to zoe@school.example is on its way.').waitFor()
  const letter = await site.mail.letterTo('zoe@school.example')
  await stranger.goto(/http:\/\/\S+\/register#token=\S+/.exec(letter)?.[0] ?? '')
  await makeAccount(stranger, 'Zoé Ndiaye')
  await comes(() => ways(stranger), ['Labs', 'My runs', 'Calendar', 'Account'])
  await stranger.getByRole('link', { name: 'Voltage divider' }).waitFor()
  await stranger.goto(`${site.lab.http}/runs/${session}`)
  await stranger.getByRole('heading', { name: 'There is no such page' }).waitFor()
}
