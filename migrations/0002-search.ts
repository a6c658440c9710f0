import { type Kysely, sql } from 'kysely';

/**
 * What letters and signs become, a line for each kind of text. `øØ>O`: each of these becomes O. `ςΣ`: the first of each two becomes the
 * second. `430-44f>410`: code points from 430 become those from 410, with `/2` every other.
 */
const folds = [
  // Latin letters that Unicode does not take apart
  'æÆ œŒ þÞ ßẞ ıI łŁ>L ðÐđĐ>D øØ>O ħĦ>H ŋŊ>N ŧŦ>T',
  // apostrophes, hyphens and quotes
  '`ʹʻʼʽʾʿˈꞋꞌ\u055a\u05f3‘’‚‛′‵‹›>\' \u058a\u05be‐‒–—―⁃−>- «»“”„‟〝〞\u05f4>"',
  // Persian and Arabic yeh, kaf and digits
  '\u064a\u0649>\u06cc \u0643>\u06a9 660-669>30 6f0-6f9>30',
  // Greek, Cyrillic, Cyrillic of other languages than the Slavic, Armenian, Georgian
  '3b1-3c1>391 ςΣ 3c3-3c9>3a3',
  '430-44f>410 452-45f>402',
  '461-481/2>460 48b-4bf/2>48a 4c4-4ce/2>4c3 ӏӀ 4d5-52f/2>4d4',
  '561-586>531',
  '10d0-10fa>1c90 10fd-10ff>1cbd',
  // Latin letters of few languages, as CLDR's Latin-ASCII has them; then letter case alone, as of Unicode 17
  'Ⱥⱥ>A ɃƀƁɓƂƃ>B ȻȼƇƈ>C ƉɖƊɗƋƌ>D ƐɛɆɇ>E Ƒƒ>F ƓɠǤǥ>G Ⱨⱨ>H ƗɨƖɩ>I Ɉɉ>J ƘƙⱩⱪ>K ȽƚⱠⱡⱢɫ>L Ɱɱ>M ƝɲȠƞ>N ƤƥⱣᵽ>P ' +
    'ɌɍⱤɽƦʀ>R Ȿȿ>S ƬƭƮʈȾⱦ>T Ʉʉ>U Ʋʋ>V Ⱳⱳ>W ƳƴɎɏ>Y ƵƶȤȥⱫⱬⱿɀ>Z ' +
    'ƕǶƛꟜƅƄƣƢƨƧƹƸƽƼƿǷǝƎȝȜȣȢɂɁɋɊɐⱯɑⱭɒⱰɔƆəƏɜꞫɡꞬɣƔɤꟋɥꞍɦꞪɪꞮɬꞭɯƜɵƟʂꟅʃƩʇꞱʊƱʌɅʒƷʝꞲʞꞰ',
  'ͷͶϗϏϳͿϸϷϻϺᲀВᲁДᲂОᲃСᲄТᲅТᲆЪᲇѢᲈꙊᲊᲉᵹꝽᶎꟆⅎℲↄↃⱶⱵⳳⳲⴧჇⴭჍꞔꟄꟶꟵꭓꞳ 371-373/2>370 37b-37d>3fd 3d9-3ef/2>3d8 13f8-13fd>13f0 ' +
    '1efb-1eff/2>1efa 2c30-2c5f>2c00 2c81-2ce3/2>2c80 2cec-2cee/2>2ceb 2d00-2d25>10a0 a641-a66d/2>a640 a681-a69b/2>a680 ' +
    'a723-a72f/2>a722 a733-a76f/2>a732 a77a-a77c/2>a779 a77f-a787/2>a77e a791-a793/2>a790 a797-a7a9/2>a796 a7b5-a7c3/2>a7b4 ' +
    'a7c8-a7ca/2>a7c7 a7cd-a7db/2>a7cc ab70-abbf>13a0 10428-1044f>10400 104d8-104fb>104b0 10597-105a1>10570 ' +
    '105a3-105b1>1057c 105b3-105b9>1058c 105bb-105bc>10594 10cc0-10cf2>10c80 10d70-10d85>10d50 118c0-118df>118a0 ' +
    '16e60-16e7f>16e40 16ebb-16ed3>16ea0 1e922-1e943>1e900',
];

/**
 * What the search compares by: the functions, and the extension of the index. They use nothing of the database's locale, which neither `C` nor the builtin provider offers for
 * letters outside ASCII, which has a Turkish i in `tr_TR`, and which an upgrade of libc or ICU would change under the stored column.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create extension if not exists pg_trgm`.execute(db);
  // Each step asks first: translate compares each character of the text with each of its list.
  const steps = folds.map((fold) => {
    const pairs = toPairs(fold);
    const from = pairs.map(([from]) => from).join('');
    const to = pairs.map(([, to]) => (to === "'" ? "''" : to)).join('');
    return `if folded ~ '[${from}]' then folded := translate(folded, '${from}', '${to}'); end if;`;
  });
  // Removed: combining marks (Latin, Cyrillic, Hebrew, Arabic), soft hyphen, tatweel, joiners, direction marks, variation selectors.
  // The acute accent on its own, an apostrophe to whoever types it, would be taken apart to a space and a mark.
  const searchFold = String.raw`
    create function search_fold(value text) returns text
    language plpgsql immutable strict parallel safe
    as $fold$
    declare
      folded text collate "C" := value; -- in which upper() knows ASCII alone, everywhere
    begin
      if folded !~ '[^\u0001-\u007f]' then return translate(upper(folded), chr(96), chr(39)); end if;
      folded := upper(regexp_replace(
        normalize(replace(folded, '´', ''''), NFKD),
        '[\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670'
        '\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u2064'
        '\u2066-\u2069\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0100-\U000e01ef]',
        '', 'g'));
      ${steps.join('\n      ')}
      return replace(replace(replace(replace(folded, 'Æ', 'AE'), 'Œ', 'OE'), 'Þ', 'TH'), 'ẞ', 'SS');
    end
    $fold$`;
  // Escaped after folding: a full-width percent sign becomes an ordinary one.
  const searchPattern = String.raw`
    create function search_pattern(term text) returns text
    language sql immutable strict parallel safe
    return '%' || replace(replace(replace(search_fold(term), '\', '\\'), '%', '\%'), '_', '\_') || '%'`;
  await sql.raw(searchFold).execute(db);
  await sql.raw(searchPattern).execute(db);
  await sql`comment on function search_fold is 'text as the search compares it: without letter case, accents and forms of letters'`.execute(
    db,
  );
  await sql`comment on function search_pattern is 'a LIKE pattern for texts of search_fold that contain the term'`.execute(
    db,
  );
}

/** `øØ>O ςΣ` → [['ø', 'O'], ['Ø', 'O'], ['ς', 'Σ']] */
function toPairs(fold: string): string[][] {
  return fold.split(' ').flatMap((token) => {
    const [, first, last, every, image] = /^(\w+)-(\w+)(\/2)?>(\w+)$/.exec(token) ?? [];
    if (first && last && image)
      return toRange(parseInt(first, 16), parseInt(last, 16), every ? 2 : 1, parseInt(image, 16));
    const [, letters, one = ''] = /^(.+)>(.)$/u.exec(token) ?? [];
    return letters ? [...letters].map((letter) => [letter, one]) : (token.match(/../gu) ?? []).map((pair) => [...pair]);
  });
}

function toRange(first: number, last: number, step: number, image: number): string[][] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) =>
    [first, image].map((start) => String.fromCodePoint(start + index * step)),
  );
}
