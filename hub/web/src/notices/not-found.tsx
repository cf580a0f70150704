import { useTranslation } from 'react-i18next'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'

/** Says that there is nothing at this address and offers the way back. */
export function NotFound() {
  const { t } = useTranslation()
  useTitle(t('error.notFound'))
  return (
    <Page title={t('error.notFound')}>
      <p className="soft">{t('error.notFoundText')}</p>
      <p>
        <LinkButton to="/labs" variant="default">
          {t('error.home')}
        </LinkButton>
      </p>
    </Page>
  )
}
