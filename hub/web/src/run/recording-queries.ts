import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import { queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { queryString } from '../api/queries.ts'
import { joinRecordings } from './film.ts'

const v1 = '/api/v1'

interface Recorded extends Recording {
  /** The session was over when it was asked for, and nothing had come since it was asked for before. */
  readonly isWhole: boolean
}

/** What cameras have recorded of a session: what is new is asked for until the session is over and nothing more comes. */
export const recordingQuery = (api: Api, id: string, attempt: number, final: boolean) => {
  const queryKey = ['runs', 'recording', id, attempt]
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client }): Promise<Recorded> => {
      const known = client.getQueryData<Recorded>(queryKey)
      const query = queryString({ attempt, since: known?.cursor })
      const more = await api.get<Recording>(`${v1}/runs/${id}/recording${query}`, signal)
      if (known === undefined) return { ...more, isWhole: false }
      const isWhole = final && more.cameras.length === 0
      return { ...(more.cameras.length === 0 ? known : joinRecordings(known, more)), isWhole }
    },
    refetchInterval: ({ state }) => (state.data?.isWhole === true ? false : 2_000),
  })
}

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
