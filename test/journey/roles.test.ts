/** Each role on one real hub, as they need one another: a test goes on where the one before it ended. */
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { addALab, tendABench } from './roles/building.ts'
import { comeByLetter, driveABench } from './roles/driving.ts'
import { lookAtTheCourse, lookAtTheSite, loseASecondFactor } from './roles/looking-back.ts'
import { openTheSite } from './roles/opening.ts'
import { lookOn, register } from './roles/outside.ts'
import { givePermissions, makeTheCourse } from './roles/teaching.ts'
import type { Cast } from './support/cast.ts'
import { openSite } from './support/site.ts'

const test = suite('what each role comes by, sees and does', {
  timeoutMs: 240_000,
  hookTimeoutMs: 240_000,
  fileTimeoutMs: 1_200_000,
})

const cast = {} as Cast

test.before(async () => {
  cast.site = await openSite()
})
test.after(async () => {
  await cast.desk?.close()
  await cast.site?.close()
})

for (const [what, does] of Object.entries({
  'an admin opens the site: first account, settings, invitations, a node': openTheSite,
  'an instructor makes a course, imports its list, and books benches for it every week': makeTheCourse,
  'an admin gives the course a permission from a template, and changes two at once': givePermissions,
  'a student joins, sees what may be done, books, drives while watched, and takes it all home': driveABench,
  'one of the list comes by a letter, and chooses what another has chosen': comeByLetter,
  'a lab builder adds a lab and drives it by its panel': addALab,
  'a lab builder closes a bench with a reason, checks it, and puts it back': tendABench,
  'the instructor sees who did what, when, and what is alike': lookAtTheCourse,
  'a second factor that was lost is reset by an admin': loseASecondFactor,
  'the admin sees the whole site, its countries, and who changed what': lookAtTheSite,
  'a guest looks on, and sees nothing of anybody': lookOn,
  'a stranger sees the labs for everyone, and registers': register,
})) {
  test(what, () => does(cast))
}

test('no page complained', () => assert.equal(cast.site.complaints(), []))

test.run()
