import type { NodeHardware } from '@fernlab/shared/contracts/hardware'
import { useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { hardwareQuery, nodeAddress } from '../api/queries.ts'

/** Has the buses of a node asked who is there, and shows what was found. */
export function useScan(node: string): () => Promise<void> {
  const api = useApi()
  const client = useQueryClient()
  return async () => {
    const hardware = await api.send<NodeHardware>('POST', `${nodeAddress(node)}/hardware/scan`)
    client.setQueryData(hardwareQuery(api, node).queryKey, hardware)
  }
}

/**
 * Looks again as was looked last, after something was changed: where the buses had been asked they are asked again, so that
 * the other finds of theirs stay. A look that is refused, as while a bench is in use, leaves what is shown.
 */
export function useLookAgain(node: string): () => Promise<void> {
  const api = useApi()
  const client = useQueryClient()
  const scan = useScan(node)
  const { queryKey } = hardwareQuery(api, node)
  return async () => {
    if (client.getQueryData<NodeHardware>(queryKey)?.scanned !== true) return client.invalidateQueries({ queryKey })
    try {
      await scan()
    } catch {
      // Its own notice says why, beside what a look without the buses finds.
      await client.invalidateQueries({ queryKey })
    }
  }
}
