/** Writes a settings file over and over and says each number once it is on disk; a process for power cuts. */
import { silentLog } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import { counterSchema } from './settings-counter.ts'

const file = await openSettingsFile({
  path: process.argv[2] ?? '',
  schema: counterSchema,
  initial: { count: 0, filler: '' },
  log: silentLog,
})
for (;;) {
  await file.update((data) => {
    data.count += 1
    data.filler = String(data.count).repeat(200)
  })
  process.stdout.write(`${file.data.count}\n`)
}
