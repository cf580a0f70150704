/** A folder of files as what a module of a lab builder's would export. */
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import { folderContract, readFolderContract } from '@fernlab/shared/contracts/folder-service'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { openFolderService } from '../../folders/folder-service.ts'
import type { ServiceToLoad } from '../host-messages.ts'
import type { LoadedService } from './load-service.ts'

/** With what may be written only where it has a quota. */
export function shareFolder({ name, file, shared }: ServiceToLoad): LoadedService {
  const { quotaBytes } = shared ?? {}
  return {
    contract: quotaBytes === undefined ? readFolderContract : folderContract,
    prototype: undefined,
    make: async ({ emit, onClose }) => {
      const service = await openFolderService({
        place: resolve(file),
        quotaBytes,
        clock: systemClock,
        emit: (changed) => emit('changed', changed),
        onError: (thrown) => process.stderr.write(`${name}: an upload was not cleared away: ${inspect(thrown)}\n`),
      })
      onClose(() => service.close())
      return service
    },
  }
}
