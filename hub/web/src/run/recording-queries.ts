import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import { queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { queryString } from '../api/queries.ts'

const v1 = '/api/v1'

/** What cameras have recorded of a session; asked again while it goes on. */
export const recordingQuery = (api: Api, id: string, attempt: number, final: boolean) =>
  queryOptions({
    queryKey: ['runs', 'recording', id, attempt],
    queryFn: ({ signal }) => api.get<Recording>(`${v1}/runs/${id}/recording${queryString({ attempt })}`, signal),
    refetchInterval: final ? false : 2_000,
  })

/** The pictures of a piece of it. */
export const pieceQuery = (
  api: Api,
  { id, attempt, part, number }: { id: string; attempt: number; part: string; number: number },
) =>
  queryOptions({
    queryKey: ['runs', 'recording', id, attempt, part, number],
    queryFn: async ({ signal }) => {
      const path = `${v1}/runs/${id}/recording/${part}/${number}${queryString({ attempt })}`
      const answer = await api.open(path, { accept: 'application/octet-stream' }, signal)
      return unpackPictures(new Uint8Array(await answer.arrayBuffer()))
    },
    staleTime: Number.POSITIVE_INFINITY,
    // A piece is half a megabyte.
    gcTime: 30_000,
  })
