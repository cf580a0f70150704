import { useTranslation } from 'react-i18next'
import { LinkButton } from '../frame/link-button.tsx'
import { EmptyState } from './empty-state.tsx'

/** Says that there is nothing at this address and offers the way back. */
export function NotFound() {
  const { t } = useTranslation()
  return (
    <EmptyState
      title={t('error.notFound')}
      action={
        <LinkButton to="/labs" variant="default">
          {t('error.home')}
        </LinkButton>
      }
    >
      {t('error.notFoundText')}
    </EmptyState>
  )
}
