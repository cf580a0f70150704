import { NativeSelect, type NativeSelectProps } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { groupsQuery } from './group-queries.ts'
import { asTree } from './group-tree.ts'

interface Props extends Omit<NativeSelectProps, 'data'> {
  /** What stands for none. */
  readonly none: string
  /** Leaves out what the person may not change. */
  readonly managed?: boolean
  readonly without?: ReadonlySet<string>
}

/** Chooses a group, those within another one set in. */
export function GroupSelect({ none, managed = false, without, ...rest }: Props) {
  const groups = useQuery(groupsQuery(useApi()))
  const shown = asTree(groups.data ?? []).filter(
    ({ group }) => (!managed || group.manages) && without?.has(group.id) !== true,
  )
  const data = [
    { value: '', label: none },
    ...shown.map(({ group, depth }) => ({ value: group.id, label: `${'\u2003'.repeat(depth)}${group.name}` })),
  ]
  return <NativeSelect {...rest} data={data} />
}
