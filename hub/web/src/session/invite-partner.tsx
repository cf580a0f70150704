import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconUserPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

const PartnerLink = lazy(() => import('./partner-link.tsx'))

/** Makes the link by which others take part, and shows it. */
export function InvitePartner({ session }: { session: Session }) {
  const { t } = useWords()
  const api = useApi()
  const invite = useMutation({
    mutationFn: () => api.send<{ link: string }>('POST', `/api/v1/sessions/${session.id}/link`),
  })
  const close = () => invite.reset()
  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={invite.isPending}
        leftSection={<IconUserPlus size={16} aria-hidden="true" />}
        onClick={() => invite.mutate()}
      >
        {t('session.invite')}
      </Button>
      {invite.error === null ? null : <ProblemNotice error={invite.error} />}
      <Suspense>{invite.data === undefined ? null : <PartnerLink link={invite.data.link} onClose={close} />}</Suspense>
    </>
  )
}
