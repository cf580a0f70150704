/** The codes that the API answers with: their status, what each means, and what the caller does about it. */

export interface ErrorCode {
  readonly status: number
  readonly means: string
  readonly next: string
}

const code = (status: number, means: string, next: string): ErrorCode => ({ status, means, next })
const notThere = (what: string): ErrorCode =>
  code(404, `${what} is not there, or is somebody else's`, 'Ask for what there is; it may have been removed.')

const callCodes = {
  'malformed-json': code(400, 'the body is not JSON', 'Mend the body.'),
  'request-invalid': code(
    400,
    'something does not fit its schema; `issues` has each with its path',
    'Mend what is listed.',
  ),
  'cursor-invalid': code(400, 'the cursor is not one that this list gave', 'Begin again without one.'),
  'sign-in-needed': code(401, 'nobody is signed in, and there is no token', 'Send a token.'),
  'token-refused': code(401, 'the token is unknown, expired or revoked', 'Make another; do not repeat with this one.'),
  'wrong-credentials': code(401, 'address, password or present password are wrong', 'Ask the person again.'),
  'code-wrong': code(401, 'the code of the second factor is wrong, or was used', 'Ask for the next one.'),
  'passkey-refused': code(401, 'the passkey did not prove itself', 'Begin the sign-in again, or sign in otherwise.'),
  'passkey-removed': code(401, 'the passkey was removed from its account', 'Sign in otherwise.'),
  forbidden: code(
    403,
    'the role of the person does not allow it',
    'Ask staff; a token gives no more than its person has.',
  ),
  'scope-missing': code(403, 'the token has not the scope for it', 'Make one with a scope that the message names.'),
  'account-suspended': code(
    403,
    'an admin has suspended the account whose this is',
    'An admin can let the person in again.',
  ),
  'second-factor-needed': code(403, 'the site wants a second factor of staff', 'Set it up on the page first.'),
  'origin-refused': code(
    403,
    'a page of another site makes the call',
    'Call from the hub’s own page, or with a token from a program.',
  ),
  'registration-closed': code(403, 'the site lets nobody make an account', 'Ask staff for an invitation.'),
  'not-found': notThere('what was asked for'),
  'method-not-allowed': code(405, 'the path takes other methods; `allow` names them', 'Use one of these.'),
  'idempotency-key-reused': code(409, 'the key came with another call before', 'Use a key of its own for each call.'),
  'still-at-work': code(409, 'the first call with this key is not done', 'Ask again with the same key.'),
  'already-done': code(
    409,
    'it was done; its answer held a secret that is not kept',
    'Look at what was made; make another if the secret is lost.',
  ),
  'outcome-unknown': code(
    409,
    'the hub stopped during the first call with this key',
    'Look whether it was done, then use a new key.',
  ),
  'link-used-or-expired': code(410, 'a one-time link was used, or is too old', 'Ask for another.'),
  'body-too-large': code(413, 'the body is larger than the call takes', 'Send less; the message says how much.'),
  'wrong-content-type': code(415, 'the body is of another kind than JSON', 'Send `application/json`.'),
  'value-unknown': code(422, 'a choice is none that there is', 'Take one that the message names.'),
  'upgrade-needed': code(426, 'the path is a WebSocket', 'Open it as one.'),
  'too-many-attempts': code(
    429,
    'too many calls of this kind came from there',
    'Wait as many seconds as `retry-after` says.',
  ),
  'internal-error': code(
    500,
    'something is wrong inside the hub; its log has it',
    'Repeat once; tell staff if it stays.',
  ),
  'not-built-yet': code(501, 'a later version will have the call', 'Do without it.'),
  'database-recovering': code(
    503,
    'the hub reads its data again after a write that failed',
    'Repeat after some seconds.',
  ),
  'database-unusable': code(503, 'the hub’s database can not be used', 'Repeat later; staff have to look.'),
  'deadline-exceeded': code(
    504,
    'a part of the hub or a node took too long',
    'Repeat later; see first whether it was done.',
  ),
  'disk-full': code(507, 'the hub’s disk is full; nothing was changed', 'Repeat later; staff have to make room.'),
} as const

const accountCodes = {
  'second-step-over': code(410, 'the second step of a sign-in came too late', 'Sign in anew.'),
  'second-factor-on': code(409, 'there is a second factor already', 'Remove it first.'),
  'second-factor-off': code(409, 'there is no second factor', 'Nothing is left to do.'),
  'second-factor-not-begun': code(409, 'setting it up was not begun, or too long ago', 'Begin it again.'),
  'second-factor-missing': code(409, 'who makes it a duty has none', 'Set up your own first.'),
  'passkey-too-late': code(410, 'what the browser was asked to sign is too old', 'Begin again.'),
  'passkey-unknown': notThere('the passkey'),
  'passkeys-need-address': code(409, 'passkeys need a hub with a name and HTTPS', 'Staff set FERNLAB_PUBLIC_URL.'),
  'passkeys-too-many': code(409, 'the person has as many passkeys as there can be', 'Remove one.'),
  'already-set-up': code(409, 'the hub has an admin', 'Sign in.'),
  'address-taken': code(409, 'somebody has that mail address', 'Take another, or sign in with it.'),
  'address-unchanged': code(422, 'it is the address of the account already', 'Nothing is left to do.'),
  'domain-not-permitted': code(
    422,
    'the site takes addresses of other domains',
    'Take an address there; `GET /api/v1/site` names them.',
  ),
  'mail-not-configured': code(422, 'the site sends no mail', 'Ask staff for a link.'),
  'mail-failed': code(502, 'the mail server took no letter', 'Repeat later; staff have to look.'),
  'last-admin': code(409, 'nobody would be left to give the role back', 'Give it to somebody else first.'),
  'suspend-yourself': code(409, 'an admin asks to suspend the own account', 'Ask another admin.'),
  'runs-open': code(409, 'runs of the account wait or run', 'Cancel them, or wait.'),
  'person-unknown': notThere('the person'),
  'sign-in-unknown': notThere('the sign-in'),
  'invitation-over': code(410, 'as many have joined as may, or it is too old', 'Ask whoever sent it for another.'),
  'invitation-unknown': notThere('the invitation'),
  'invitation-invalid': code(422, 'an invitation like that can not be made', 'Mend what `issues` lists.'),
  'import-invalid': code(422, 'lines of the list are wrong; nobody was made', 'Mend what `issues` lists, by line.'),
  'import-stopped': code(409, 'whoever began the import ended it; nobody was made', 'Send it again.'),
  'import-overtaken': code(409, 'somebody of the list was made meanwhile; nobody was made', 'Send it again.'),
  'sign-in-failed': code(
    500,
    'the sign-in broke off inside the hub; its log has why',
    'Try again; tell staff if it stays.',
  ),
  'group-unknown': notThere('the group or course'),
  'group-exists': code(409, 'a group has that id', 'Choose another.'),
  'group-invalid': code(422, 'the times do not fit the group', 'Mend what `issues` lists.'),
  'group-cycle': code(409, 'a group would lie within itself', 'Choose another outer group.'),
  'group-stays': code(409, 'people leave a course by its instructors', 'Ask them.'),
  'members-invalid': code(422, 'entries name nobody; nothing was changed', 'Mend what `issues` lists.'),
  'permission-unknown': notThere('the permission'),
  'permission-invalid': code(422, 'for whom, for which lab or until when can not be', 'Mend what `issues` lists.'),
  'template-unknown': notThere('the template'),
} as const

const useCodes = {
  'lab-unknown': notThere('the lab'),
  'lab-invalid': code(
    422,
    'the folder is no sound lab; nothing was changed',
    'Mend what `issues` lists, by file and line.',
  ),
  'protocol-unknown': notThere('the protocol'),
  'protocol-refused': code(422, 'no bench can do this with these parameters', 'Choose others; `issues` says why.'),
  'model-not-supported': code(422, 'the run names a model, which no release supports yet', 'Leave it out.'),
  'parameters-invalid': code(
    422,
    'parameters are missing, unknown or beyond their limits',
    'Mend what `issues` lists.',
  ),
  'run-unknown': notThere('the run'),
  'run-not-assigned': code(409, 'the run is on no bench', 'Cancel it instead.'),
  'stream-unknown': notThere('the stream'),
  'picture-unknown': notThere('the picture'),
  'recording-unknown': notThere('the recording'),
  'range-empty': code(
    416,
    'nothing of the file lies in the range that was asked for',
    'Ask for a part of it; `content-range` says how long it is.',
  ),
  'column-unknown': notThere('the column'),
  'not-permitted': code(
    403,
    'no permission lets the person do this in this lab',
    'Ask whom `GET /api/v1/labs/{lab}/permission` names.',
  ),
  'reservations-full': code(
    409,
    'the person has as many runs, sessions and bookings as they may',
    'Wait for one, or cancel one.',
  ),
  'quota-used': code(
    409,
    'the bench time of the day or the week is used',
    'Wait until it begins anew, at midnight UTC or on Monday.',
  ),
  'never-open-so-long': code(409, 'no bench is ever open for so long', 'Make it shorter.'),
  'no-bench': code(409, 'no bench serves the lab, or not that one', 'Choose another; `issues` says what each lacks.'),
  'runs-refused': code(
    507,
    'the hub’s disk is nearly full: it takes no runs',
    'Repeat later; staff have to make room.',
  ),
  'session-unknown': notThere('the session'),
  'session-not-active': code(409, 'the session is not, or not any more, on a bench', 'Look at its `state`.'),
  'session-ended': code(409, 'the session is over', 'Start another.'),
  'session-not-repeatable': code(409, 'a session is no run that can be sent again', 'Start another.'),
  'session-too-long': code(422, 'the lab or the permission allow less', 'Ask for less; the message says how much.'),
  'follows-too-many': code(
    429,
    'the person follows as many runs as they may',
    'End some, or wait until runs are over.',
  ),
  'session-busy': code(429, 'too many connections or calls of the session are open', 'Wait for one to end.'),
  'no-session-time': code(403, 'the permission gives no time for sessions', 'Ask staff.'),
  'no-sessions': code(409, 'the lab offers no sessions', 'Send a run.'),
  'no-own-server': code(409, 'the lab has no server of its own', 'Use the panel.'),
  'not-in-control': code(409, 'somebody else has the controls', 'Ask for them.'),
  'somebody-waits': code(409, 'somebody waits for the bench', 'Finish; start another session.'),
  'bench-booked': code(409, 'a booking needs the bench', 'Ask for less, or finish.'),
  'pages-unreachable': code(503, 'labs’ pages have no address of their own here', 'Staff set FERNLAB_PAGES_URL.'),
  'booking-unknown': notThere('the booking'),
  'booking-conflict': code(409, 'the time is taken; `details` has the nearest free ones', 'Take one of them.'),
  'booking-overlaps-own': code(409, 'the person has another booking then', 'Choose another time.'),
  'booking-over': code(409, 'the booking is over or was cancelled', 'Book anew.'),
  'booking-begun': code(409, 'the booking has begun: only its end can change', 'Change its length alone.'),
  'booking-in-past': code(422, 'the time is over', 'Choose one to come.'),
  'booking-too-far': code(422, 'the time is further ahead than may be booked', 'Choose an earlier one.'),
  'booking-too-long': code(422, 'the booking is longer than may be', 'Make it shorter.'),
  'booking-invalid': code(422, 'what is asked for does not fit', 'Mend what `issues` lists.'),
  'bookings-too-many': code(
    409,
    'the person has as many bookings as they may',
    'Cancel one, or wait until one is over.',
  ),
  'series-empty': code(422, 'no day of the series is to come', 'Choose a later last day.'),
  'series-too-long': code(422, 'the series has too many times', 'Choose an earlier last day.'),
  'series-overlaps': code(422, 'times of the series overlap', 'Make each shorter.'),
  'recurring-unknown': notThere('the recurring run'),
  'recurring-invalid': code(422, 'no time of it is to come, or its times do not fit', 'Mend what `issues` lists.'),
  'recurring-too-many': code(409, 'the person has as many as there can be', 'Remove one.'),
  'cron-invalid': code(422, 'the expression names no times', 'Mend what `issues` lists.'),
  'owner-left': code(409, 'whose runs they are has left', 'Remove it, and make another.'),
} as const

const benchCodes = {
  'bench-unknown': notThere('the bench'),
  'node-unknown': notThere('the node'),
  'outage-unknown': notThere('the planned outage'),
  'bench-busy': code(409, 'the bench is in use', 'Wait until it is free.'),
  'bench-fault': code(409, 'the bench is out of use until somebody has looked at it', 'Use another, or put it back.'),
  'interlock-tripped': code(409, 'an interlock of the bench has tripped', 'Look at the bench, then reset it.'),
  'interlock-holds': code(409, 'what tripped the interlock is not over', 'Mend it, then reset it again.'),
  'interlock-unknown': code(404, 'the bench has no interlock of that name', 'Read the bench to see those it has.'),
  'service-unknown': notThere('the service'),
  'service-ambiguous': code(
    409,
    'several nodes have a service of that name; `details` names them',
    'Name the node too: <node>/<service>.',
  ),
  'services-apart': code(422, 'the services are of several nodes', 'Ask for a token for each node.'),
  'service-tokens-too-many': code(
    409,
    'the person has as many tokens for services as there can be at a time',
    'Use one until it ends.',
  ),
  'calibration-none': code(409, 'the signal has no calibration that could be undone', 'Look at its history.'),
  'calibration-not-invertible': code(
    422,
    'a value may have come of two raw ones',
    'Ask for the other columns, or for calibrated values.',
  ),
  'calibration-unfit': code(422, 'the calibration does not do for the signal; the message says why', 'Mend it.'),
  'instrument-unknown': code(404, 'the node has no instrument of that name', 'Read its benches for their instruments.'),
  'find-not-usable': code(409, 'the find is in use, or not to be used yet; the message says why', 'Do what it says.'),
  'find-unknown': code(404, 'the node does not find that now', 'Look again what it finds.'),
  'instrument-failed': code(409, 'the hardware did not do what its driver asks at the beginning', 'Look at it.'),
  'instrument-of-bench': code(409, 'a bench of node.yaml has the instrument', 'Take it out of the bench first.'),
  'instrument-unfit': code(422, 'the instrument can not stand beside the others; the message says why', 'Mend it.'),
  'setting-wrong': code(422, 'a setting of the find is missing or wrong; the message says which', 'Mend it.'),
  'look-under-way': code(409, 'the node is looking at its hardware already', 'Ask again in a moment.'),
  'method-unknown': code(409, 'the node is of a version that does not know the call', 'Install a newer one on it.'),
  'bench-maintenance': code(409, 'staff work on the bench', 'Use another, or wait.'),
  'bench-offline': code(409, 'the bench is not connected', 'Use another, or wait.'),
  'outage-over': code(422, 'the outage would be over', 'Choose an end that is to come.'),
  'outages-too-many': code(409, 'the bench has as many as there can be', 'Take some back.'),
  'still-in-use': code(409, 'the node is connected, or a bench is held', 'Stop or revoke the node, and wait.'),
  'not-confirmed': code(422, 'the name that confirms is another', 'Send its name in `confirm`.'),
  'lease-invalid': code(409, 'the lease is not that of the bench', 'Take one.'),
  'not-of-session': code(422, 'the services are not of the bench of the session', 'Ask for a token for those apart.'),
  'lease-ended': code(409, 'the lease has ended, and the bench is safe', 'Take another.'),
  'hold-changed': code(
    409,
    'the bench is held since another time than was said; `details` has since when, and by whom and what for as far as the caller may know',
    'Look whose hold it is now, and ask again if it is to end.',
  ),
  'fence-stale': code(409, 'the bench has gone to somebody else', 'Take another lease.'),
  'operation-overtaken': code(409, 'something else was done to the bench meanwhile', 'Look at it, and repeat.'),
  'enrollment-refused': code(403, 'the enrolment code is wrong, used or too old', 'Make another.'),
  'name-invalid': code(422, 'a node can not be called that', 'Choose lower-case letters, digits and hyphens.'),
  'node-offline': code(503, 'the node is not connected', 'Repeat when it is back.'),
  'node-silent': code(503, 'the node has not answered in time', 'Look at the bench before you repeat.'),
  'value-out-of-limits': code(
    422,
    'the value is beyond the limits of the bench',
    'Choose another; the message says which.',
  ),
} as const

/** By code. */
export const errorCodes: Readonly<Record<string, ErrorCode>> = {
  ...callCodes,
  ...accountCodes,
  ...useCodes,
  ...benchCodes,
}

export type KnownCode =
  | keyof typeof callCodes
  | keyof typeof accountCodes
  | keyof typeof useCodes
  | keyof typeof benchCodes

/** In the order of the guide. */
export const errorGroups: Readonly<Record<string, readonly string[]>> = {
  'Any call': Object.keys(callCodes),
  'People, groups and permissions': Object.keys(accountCodes),
  'Runs, sessions and bookings': Object.keys(useCodes),
  'Benches and nodes': Object.keys(benchCodes),
}
