import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { EmptyState } from './empty-state.tsx'

/** Says that there is nothing at this address and offers the way back. */
export function NotFound() {
  const { t } = useTranslation()
  return (
    <EmptyState
      title={t('error.notFound')}
      action={
        <Button component={Link} to="/labs" variant="default">
          {t('error.home')}
        </Button>
      }
    >
      {t('error.notFoundText')}
    </EmptyState>
  )
}
