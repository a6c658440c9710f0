import { hasServer, openEmptyDatabase, type TestDatabase } from './database.ts';

/** Letter case by libc, by ICU, and by PostgreSQL itself (from 17 on): the options of `create database`. */
const everywhere = {
  C: `locale 'C'`,
  'C.UTF-8': `locale 'C.UTF-8'`,
  'ICU und': `locale_provider icu icu_locale 'und' locale 'C.UTF-8'`,
  'ICU tr': `locale_provider icu icu_locale 'tr' locale 'C.UTF-8'`,
  'ICU und over C': `locale_provider icu icu_locale 'und' locale 'C'`,
};
/** Debian makes these of the package `locales`; PostgreSQL has its own from 17 and 18 on. */
const somewhere = {
  'en_US.UTF-8': `locale 'en_US.UTF-8'`,
  'tr_TR.UTF-8': `locale 'tr_TR.UTF-8'`,
  'builtin C': `locale_provider builtin builtin_locale 'C' locale 'C'`,
  'builtin C.UTF-8': `locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'`,
  'builtin PG_UNICODE_FAST': `locale_provider builtin builtin_locale 'PG_UNICODE_FAST' locale 'C'`,
};

/** An empty database, or none where the server does not offer its locale. */
export type LocaleDatabase = { locale: string; database: TestDatabase | undefined };

/** Empty databases of UTF-8, one for each locale. */
export async function openLocales(): Promise<LocaleDatabase[]> {
  const opened: LocaleDatabase[] = [];
  const open = (options: string) => openEmptyDatabase(`encoding 'UTF8' ${options}`);
  for (const [locale, options] of Object.entries(everywhere))
    opened.push({ locale, database: hasServer ? await open(options) : undefined });
  for (const [locale, options] of Object.entries(somewhere))
    opened.push({ locale, database: hasServer ? await open(options).catch(() => undefined) : undefined });
  return opened;
}
