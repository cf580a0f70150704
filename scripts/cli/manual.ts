/**
 * Of each verb an example and what it prints with `--json`: the answer of a route of the API, `items of` one (a single
 * array, all pages of it), the form of an object, or nothing where there is no such option.
 */
export interface ManualEntry {
  readonly example: string
  readonly json?: string
}

const entry = (example: string, json?: string): ManualEntry => ({ example, ...(json === undefined ? {} : { json }) })
const run = 'GET /api/v1/runs/{id}'
const session = 'GET /api/v1/sessions/{id}'
const booking = 'GET /api/v1/bookings/{id}'
const recurring = 'GET /api/v1/recurring/{id}'
const permission = 'GET /api/v1/permissions/{id}'
const removed = '{"id", "removed": true}'

/** By verb, without `fernlab`. */
export const manual: Readonly<Record<string, ManualEntry>> = {
  hub: entry('FERNLAB_DATA=/var/lib/fernlab fernlab hub'),
  edge: entry(
    'fernlab edge --config node.yaml --enroll CODE --hub https://lab.example.org',
    '{"level", "time", "msg", …}: a line of the log each, while it runs',
  ),

  labs: entry('fernlab labs', 'items of GET /api/v1/labs'),
  benches: entry('fernlab benches', 'items of GET /api/v1/benches'),
  nodes: entry('fernlab nodes', 'items of GET /api/v1/nodes'),
  directory: entry('fernlab directory --tag supply --state up', 'items of GET /api/v1/directory'),
  runs: entry('fernlab runs --lab rc-circuit --state failed', 'items of GET /api/v1/runs'),
  run: entry('fernlab run rc-circuit charge-curve -p voltage=3 -p "duration=6 s"', run),
  rerun: entry('fernlab rerun RUN -p "voltage=5 V"', run),
  watch: entry('fernlab watch RUN', run),
  cancel: entry('fernlab cancel RUN', run),
  'give-up': entry('fernlab give-up RUN', run),
  download: entry('fernlab download RUN --form parquet --to results', '{"run", "files"}: where they were saved'),

  'recurring list': entry('fernlab recurring list --lab rc-circuit', 'items of GET /api/v1/recurring'),
  'recurring show': entry('fernlab recurring show ID', recurring),
  'recurring times': entry(
    'fernlab recurring times "30 2 * * MON-FRI" --time-zone Europe/Madrid',
    'GET /api/v1/recurring-times',
  ),
  'recurring create': entry(
    'fernlab recurring create rc-circuit charge-curve "Nightly check" --cron "30 2 * * *"',
    recurring,
  ),
  'recurring change': entry('fernlab recurring change ID --cron "0 3 * * *" -p voltage=3', recurring),
  'recurring pause': entry('fernlab recurring pause ID', recurring),
  'recurring resume': entry('fernlab recurring resume ID', recurring),
  'recurring run': entry('fernlab recurring run ID', recurring),
  'recurring remove': entry('fernlab recurring remove ID', '{"removed"}: its id'),

  'session start': entry('fernlab session start rc-circuit --seconds 600', session),
  'session list': entry('fernlab session list --open --group optics', 'items of GET /api/v1/sessions'),
  'session show': entry('fernlab session show SESSION', session),
  'session controls': entry(
    'fernlab session controls SESSION',
    '{"controls"}: an array, one for each signal and action',
  ),
  'session set': entry('fernlab session set SESSION "psu.voltage=2500 mV" psu.output=on', '{"set"}: what was set'),
  'session read': entry('fernlab session read SESSION dmm.voltage', '{"readings"}: by part and signal'),
  'session call': entry('fernlab session call SESSION dmm.zero', '{"called", "arguments"}'),
  'session give': entry('fernlab session give SESSION "Bo Lindqvist"', '{"control"}: who has them'),
  'session take': entry('fernlab session take SESSION', '{"control"}: who has them'),
  'session chat': entry('fernlab session chat SESSION "Try 3 volts"', '{"said"}; without words one object a line'),
  'session watch': entry(
    'fernlab session watch SESSION dmm.voltage',
    'one object a line, named as the notifications are',
  ),
  'session drive': entry(
    "printf 'set psu.voltage=3\\nread dmm.voltage\\n' | fernlab session drive SESSION",
    'one object a line, for each command and each notification',
  ),
  'session link': entry('fernlab session link SESSION', 'POST /api/v1/sessions/{id}/link'),
  'session join': entry('fernlab session join', session),
  'session extend': entry('fernlab session extend SESSION 300', session),
  'session visit': entry('fernlab session visit SESSION', 'POST /api/v1/sessions/{id}/visit'),
  'session finish': entry('fernlab session finish SESSION', session),

  'booking list': entry('fernlab booking list --past --lab rc-circuit', 'items of GET /api/v1/bookings'),
  'booking show': entry('fernlab booking show BOOKING', booking),
  'booking make': entry('fernlab booking make rc-circuit "2027-02-01 08:00" --for 90m --note thesis', booking),
  'booking again': entry('fernlab booking again BOOKING --for 30m', booking),
  'booking change': entry('fernlab booking change BOOKING --start "2027-02-01 10:00"', booking),
  'booking cancel': entry('fernlab booking cancel BOOKING', booking),
  'booking limits': entry('fernlab booking limits rc-circuit', '`booking` of GET /api/v1/labs/{lab}/permission'),
  'booking free': entry(
    'fernlab booking free rc-circuit --from 2027-02-01 --to 2027-02-08',
    'GET /api/v1/labs/{lab}/calendar',
  ),
  'booking calendar': entry('fernlab booking calendar > bookings.ics'),
  'booking series': entry(
    'fernlab booking series rc-circuit --days mon,thu --at 14:00 --for 90m --from 2027-02-01 --until 2027-06-30 --preview',
    'POST /api/v1/booking-series',
  ),
  'booking series-cancel': entry('fernlab booking series-cancel SERIES', 'POST /api/v1/booking-series/{id}/cancel'),
  'booking series-take-back': entry(
    'fernlab booking series-take-back SERIES',
    'POST /api/v1/booking-series/{id}/take-back',
  ),
  'booking notices': entry('fernlab booking notices', 'items of GET /api/v1/bookings/notices'),
  'booking put-away': entry('fernlab booking put-away NOTICE', '{"putAway"}: its id'),
  'booking letters': entry('fernlab booking letters off', 'GET /api/v1/me/booking-letters'),

  'lab new': entry('fernlab lab new my-lab --title "My lab"', '{"folder", "lab", "files"}'),
  'lab check': entry('fernlab lab check my-lab', 'an array of {"folder", "lab", "protocols"}'),
  'lab show': entry('fernlab lab show rc-circuit --readme', 'GET /api/v1/labs/{lab}'),
  'lab file': entry('fernlab lab file rc-circuit picture.svg --to pictures', '{"lab", "file"}: where it was saved'),
  'lab push': entry('fernlab lab push my-lab', 'PUT /api/v1/labs/{lab}'),
  'lab remove': entry('fernlab lab remove my-lab', removed),
  schema: entry('fernlab schema lab > lab.schema.json'),

  'bench show': entry('fernlab bench show demo.rc-1', 'GET /api/v1/benches/{bench}'),
  'bench lease': entry(
    'fernlab bench lease demo.rc-1 --seconds 300 --reason "a new diode"',
    'POST /api/v1/benches/{bench}/lease',
  ),
  'bench exchange': entry(
    'fernlab bench exchange demo.rc-1 psu.voltage=2 psu.output=on --read dmm.voltage',
    'POST /api/v1/benches/{bench}/exchange',
  ),
  'bench release': entry('fernlab bench release demo.rc-1', '{"bench", "safe"}'),
  'bench check': entry('fernlab bench check demo.rc-1', 'POST /api/v1/benches/{bench}/checks'),
  'bench history': entry('fernlab bench history demo.rc-1 --days 30', 'GET /api/v1/benches/{bench}/history'),
  'bench put-back': entry('fernlab bench put-back demo.rc-1', 'POST /api/v1/benches/{bench}/put-back'),
  'bench reset-interlock': entry(
    'fernlab bench reset-interlock demo.rc-1 too-hot',
    'POST /api/v1/benches/{bench}/reset-interlock',
  ),
  'bench outages': entry('fernlab bench outages demo.rc-1', 'items of GET /api/v1/benches/{bench}/outages'),
  'bench close': entry(
    'fernlab bench close demo.rc-1 --reason nights --weekly "mon-fri 20:00-07:00" --time-zone Europe/Madrid',
    'POST /api/v1/benches/{bench}/outages, of several benches an array',
  ),
  'bench open': entry('fernlab bench open demo.rc-1', '{"bench", "takenBack"}: ids of what was planned'),
  'bench letters': entry('fernlab bench letters off', 'GET /api/v1/me/bench-letters'),
  'bench remove': entry('fernlab bench remove demo.rc-1 --confirm demo.rc-1', '{"bench", "removed": true}'),
  'node add-instrument': entry(
    'fernlab node add-instrument i2c:1:0x76 --name air --set chip=bme280',
    '{"file", "name", "instrument"}',
  ),
  'node enroll': entry('fernlab node enroll bench-7', 'POST /api/v1/nodes'),
  'node show': entry('fernlab node show demo', 'GET /api/v1/nodes/{node}'),
  'node calibrate': entry(
    'fernlab node calibrate bench-7 supply.voltage --linear 1.0021,-0.013 --uncertainty 0.004 --valid-until 2027-05-31',
    'POST /api/v1/nodes/{node}/calibrations, with --show items of its GET',
  ),
  'node look': entry(
    'fernlab node look bench-7 --scan',
    'GET /api/v1/nodes/{node}/hardware, with --scan POST /api/v1/nodes/{node}/hardware/scan',
  ),
  'node equip': entry(
    'fernlab node equip bench-7 i2c:1:0x76 --driver i2c --name air --set chip=bme280',
    'POST /api/v1/nodes/{node}/instruments',
  ),
  'node unequip': entry('fernlab node unequip bench-7 air', '{"node", "instrument", "removed": true}'),
  'node rotate': entry('fernlab node rotate bench-7', 'POST /api/v1/nodes/{node}/rotate'),
  'node revoke': entry('fernlab node revoke bench-7', '{"node", "revoked": true}'),
  'node remove': entry('fernlab node remove bench-7 --confirm bench-7', '{"node", "removed": true}'),

  'account show': entry('fernlab account show', 'GET /api/v1/me, with "hub" and "secondFactor"'),
  'account rename': entry('fernlab account rename "Ada Lovelace"', 'PUT /api/v1/me'),
  'account address': entry('fernlab account address ada@example.org', '{"email", "sent": true}'),
  'account password': entry('fernlab account password', '{"changed": true}'),
  'account second-factor show': entry('fernlab account second-factor show', 'GET /api/v1/me/second-factor'),
  'account second-factor on': entry(
    'fernlab account second-factor on',
    'two lines: the secret, then {"recoveryCodes"}',
  ),
  'account second-factor off': entry('fernlab account second-factor off', '{"on": false}'),
  'account second-factor recovery-codes': entry(
    'fernlab account second-factor recovery-codes > codes.txt',
    'POST /api/v1/me/second-factor/recovery-codes',
  ),
  'account passkeys': entry('fernlab account passkeys', 'items of GET /api/v1/me/passkeys'),
  'account rename-passkey': entry('fernlab account rename-passkey phone "old phone"', 'PUT /api/v1/me/passkeys/{id}'),
  'account remove-passkey': entry('fernlab account remove-passkey phone', removed),
  'account sign-ins': entry('fernlab account sign-ins', 'items of GET /api/v1/me/sign-ins'),
  'account sign-out': entry('fernlab account sign-out --all', '{"ended"}: the id, or "all"'),
  'account groups': entry('fernlab account groups', 'items of GET /api/v1/me/groups'),
  'account leave': entry('fernlab account leave club', '{"left"}: its id'),
  'account letters': entry('fernlab account letters bookings off', 'of each kind of letters its settings'),
  'account language': entry('fernlab account language es --time-zone Europe/Madrid', '{"language", "timeZone"}'),
  'account export': entry('fernlab account export my-data.json', '{"file", "bytes"}'),
  'account close': entry('fernlab account close', '{"closed"}: the mail address'),
  'account link': entry(
    'fernlab account link --name "Ada Lovelace" --email ada@example.org',
    'of an account GET /api/v1/me, else what was done',
  ),
  'account register': entry(
    'fernlab account register --name "Ada Lovelace" --email ada@example.org',
    '{"name", "email", "sent": true}',
  ),
  'account forgot-password': entry('fernlab account forgot-password ada@example.org', 'POST /api/v1/password/forgot'),
  'token create': entry(
    'fernlab token create "my program" --scope run --scope mqtt:read --days 365',
    'POST /api/v1/tokens',
  ),
  'token list': entry('fernlab token list', 'items of GET /api/v1/tokens'),
  'token service': entry('fernlab token service bench7/rc-1.psu --lease LEASE', 'POST /api/v1/directory/tokens'),
  'token revoke': entry('fernlab token revoke TOKEN-ID', '{"id", "revoked": true}'),

  'user list': entry('fernlab user list --search ada', 'items of GET /api/v1/users'),
  'user invite': entry(
    'fernlab user invite --role student --most 30 --days 14 --note "Physics 2"',
    'POST /api/v1/invitations',
  ),
  'user invitations': entry('fernlab user invitations', 'items of GET /api/v1/invitations'),
  'user uninvite': entry('fernlab user uninvite INVITATION', '{"id", "takenBack": true}'),
  'user role': entry('fernlab user role ada@example.org --role instructor', 'PUT /api/v1/users/{id}'),
  'user revoke-tokens': entry('fernlab user revoke-tokens ada@example.org', '{"id", "revoked": true}'),
  'user suspend': entry('fernlab user suspend ada@example.org', '{"id", "suspended": true}'),
  'user restore': entry('fernlab user restore ada@example.org', '{"id", "suspended": false}'),
  'user take-second-factor': entry('fernlab user take-second-factor ada@example.org', '{"id", "secondFactor": false}'),
  'user import': entry(
    'fernlab user import class.csv --group optics --preview',
    '`people` of POST /api/v1/users/import',
  ),
  'user reset': entry('FERNLAB_DATA=/var/lib/fernlab fernlab user reset ada@example.org', '{"email", "link"}'),
  'group list': entry('fernlab group list --search optics', 'items of GET /api/v1/groups'),
  'group show': entry('fernlab group show optics', 'GET /api/v1/groups/{id}'),
  'group create': entry(
    'fernlab group create optics "Optics, spring" --course --from 2027-02-01 --until 2027-07-01',
    'POST /api/v1/groups',
  ),
  'group change': entry('fernlab group change optics --until 2027-08-01', 'PUT /api/v1/groups/{id}'),
  'group remove': entry('fernlab group remove optics --yes', '{"id", "removed": true} and what went with it'),
  'group members': entry('fernlab group members physics --inner', 'items of GET /api/v1/groups/{id}/members'),
  'group add': entry(
    'fernlab group add optics ada@example.org bo@example.org --instructor',
    'POST /api/v1/groups/{id}/members',
  ),
  'group take-out': entry('fernlab group take-out optics ada@example.org', 'POST /api/v1/groups/{id}/members'),

  'settings usage': entry('fernlab settings usage --addresses 30 --names 730 --preview', 'GET /api/v1/settings/usage'),
  'settings sign-in': entry(
    'fernlab settings sign-in --registration open --domains school.example,uni.example',
    'GET /api/v1/settings/sign-in',
  ),
  'settings scheduling': entry('fernlab settings scheduling --grace-minutes 15', 'GET /api/v1/settings/scheduling'),
  'settings retention': entry('fernlab settings retention --data-days 400 --run-days none', 'GET /api/v1/storage'),
  'settings lab-servers': entry('fernlab settings lab-servers --names off', 'GET /api/v1/settings/lab-servers'),
  audit: entry('fernlab audit --action settings --from 2026-01-01', 'items of GET /api/v1/audit'),
  'usage uses': entry('fernlab usage uses --course optics --from 2027-02-01', 'items of GET /api/v1/usage/uses'),
  'usage use': entry('fernlab usage use USE --csv commands > commands.csv', 'GET /api/v1/usage/uses/{id}'),
  'usage course': entry('fernlab usage course optics --csv > people.csv', 'GET /api/v1/usage/courses/{id}'),
  'usage direct': entry(
    'fernlab usage direct --bench demo.rc-1 --csv > driven.csv',
    'items of GET /api/v1/usage/direct, with an id GET /api/v1/usage/direct/{id}',
  ),
  'usage timeline': entry('fernlab usage timeline optics --from 2027-02-01', 'GET /api/v1/usage/courses/{id}/timeline'),
  'usage similar': entry('fernlab usage similar optics --within 2', 'GET /api/v1/usage/courses/{id}/similar'),
  'usage site': entry('fernlab usage site --csv benches > benches.csv', 'GET /api/v1/usage/site'),

  'permission list': entry('fernlab permission list --lab rc-circuit', 'items of GET /api/v1/permissions'),
  'permission show': entry('fernlab permission show PERMISSION', permission),
  'permission give': entry(
    'fernlab permission give group:optics --lab rc-circuit --template class dayS=7200 mostOpen=5 --until 2027-07-01',
    permission,
  ),
  'permission change': entry('fernlab permission change PERMISSION dayS=3600 --until none', permission),
  'permission copy': entry('fernlab permission copy PERMISSION group:mechanics --until 2027-07-01', permission),
  'permission take': entry('fernlab permission take PERMISSION', '{"id", "taken": true}'),
  'permission bulk': entry(
    'fernlab permission bulk PERMISSION PERMISSION --term mostOpen=3 --preview',
    'items of POST /api/v1/permissions/bulk',
  ),
  'permission templates': entry('fernlab permission templates', 'items of GET /api/v1/permission-templates'),
  'permission template save': entry(
    'fernlab permission template save lecture mostOpen=2 dayS=3600 --title "A lecture" --like class',
    'PUT /api/v1/permission-templates/{id}',
  ),
  'permission template remove': entry('fernlab permission template remove lecture', removed),
  'permission template apply': entry(
    'fernlab permission template apply lecture group:optics role:student --labs rc-circuit --preview',
    'POST /api/v1/permission-templates/{id}/apply',
  ),
  'permission mine': entry('fernlab permission mine rc-circuit', 'GET /api/v1/labs/{lab}/permission'),

  backup: entry('FERNLAB_DATA=/var/lib/fernlab fernlab backup /backups/monday', 'the backup’s manifest'),
  restore: entry(
    'FERNLAB_DATA=/srv/fernlab fernlab restore /backups/monday',
    'the manifest, with "folder" and "databaseFile"',
  ),
  login: entry('fernlab login --hub https://lab.example.org --email ada@example.org', 'GET /api/v1/me, with "hub"'),
  logout: entry('fernlab logout', '{"hub"}'),
  whoami: entry('fernlab whoami', 'GET /api/v1/me, with "hub"'),
  call: entry(
    'fernlab call diode-1.psu --lock --set voltage=1.5 --read voltage',
    'what the action answers, an item a line where it gives several; with --read {signal: {"value", "time"}}; without either, the contract',
  ),
  lock: entry('fernlab lock diode-1.psu diode-1.ammeter --reason sweep', '{"services"}, as soon as they are locked'),
  'node import': entry(
    'fernlab node import pyrolab.yaml --into node.yaml --dry-run',
    '{"daemons", "services", "files", "notCarried", "written"}; notCarried is an array of {"path", "why"}',
  ),
  'node token': entry(
    'fernlab node token ada --service "bench3.*" --hours 8',
    '{"token", "until", "node", "person", "services", "rights", "addresses"}; where tokens are ended, {"revoked", "links"}: the people or "all", and how many open links that cut',
  ),
  'board kinds': entry('fernlab board kinds', '[{"name", "title", "chip", "firmwareBytes", "baudRate", "method"}]'),
  'board flash': entry(
    'fernlab board flash thermal.hex --port /dev/ttyACM0 --board uno',
    '{"written", "bytes", "seconds"}; written is false where the board had it already',
  ),
  'board describe': entry(
    'fernlab board describe --port /dev/ttyACM0 > heater.json',
    '{"firmware", "version", "hash", "signals", "actions"}: what the board says of itself',
  ),
  'board forward': entry('fernlab board forward --port /dev/ttyACM0', '{"host", "port"}: where tools connect'),
  'driver new': entry('fernlab driver new my-oven --language python', '{"folder", "driver", "language", "files"}'),
  'driver test': entry(
    'fernlab driver test my-oven',
    '{"folder", "on", "others", "spec", "outcomes"}, of each case its outcome and, where it failed, why',
  ),
  unlock: entry('fernlab unlock fit --reason "its owner is on holiday"', '{"services"}'),
  'service new': entry('fernlab service new my-fit --language python', '{"folder", "service", "language", "files"}'),
  'daemon ps': entry(
    'fernlab daemon ps',
    'an array of {"daemon", "state", "reason", "pid", "upSince", "ends", "services"}',
  ),
  'daemon info': entry('fernlab daemon info fit', '{"daemon", "service", "addresses"}, as far as there are'),
  'daemon unlock': entry('fernlab daemon unlock fit --reason "its owner is on holiday"', '{"services"}'),
  'daemon rename': entry('fernlab daemon rename fit line-fit', 'an array of {"daemon", "change", "state", "reason"}'),
  'daemon up': entry('fernlab daemon up analysis', 'an array of {"daemon", "change", "state", "reason"}'),
  'daemon down': entry('fernlab daemon down analysis', 'an array of {"daemon", "change"}'),
  'daemon reload': entry('fernlab daemon reload', 'an array of {"daemon", "change", "state", "reason"}'),
  'daemon logs': entry(
    'fernlab daemon logs analysis --lines 20 --follow',
    'of each line {"number", "daemon", "time", "from", "text"}',
  ),
  doctor: entry(
    'fernlab doctor --node /etc/fernlab/node.yaml',
    'an array of {"group", "what", "verdict", "detail"}, with "lines" to type and, of hardware, "find"',
  ),
  completion: entry('fernlab completion bash >> ~/.bashrc'),
}
