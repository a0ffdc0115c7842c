'use strict';

/** What generated texts are made of. Nothing planted uses these words as its distinctive part. */

const list = (/** @type {string} */ words) => words.trim().split(/\s+/);

const FIRST_NAMES = list(`Ada Bruno Chen Dana Elif Femi Grace Hugo Ines Jonas Kavya Liam Mara Noor Olga Pedro Quinn Rosa
  Sven Tara Uma Viktor Wanda Ximena Yuki Zoe Amir Bella Carlos Daisy`);
const LAST_NAMES = list(`Abara Becker Castillo Dubois Eriksen Fontana Garcia Haddad Ivanova Jansen Kimura Lopez Moreau
  Nakamura Okafor Petrov Quist Rossi Schmidt Tanaka Ueda Vargas Weber Xu Yilmaz Zhang`);
const CITIES = list(`Berlin Paris Madrid Lisbon Vienna Prague Warsaw Oslo Rome Dublin Athens Zurich Milan Lyon Porto
  Hamburg Antwerp Geneva`);
const COUNTRIES = list('DE FR ES PT AT CZ PL NO IT IE GR CH');
const AIRPORTS = list('SFO JFK LAX ORD DFW ATL SEA BOS MIA DEN PHX IAH CLT MSP DTW PHL');
const SERVICES = list('api auth billing cart catalog checkout gateway inventory ledger mailer orders pricing search shipping');
const HOSTS = list('web-01 web-02 web-03 db-01 db-02 cache-01 queue-01 worker-01 worker-02 worker-03 edge-01 edge-02');
const REGIONS = list('eu-west-1 eu-central-1 us-east-1 us-west-2 ap-south-1');
const PATHS = list(`/api/v1/orders /api/v1/users /api/v1/cart /api/v1/search /health /api/v1/products /static/app.js
  /static/site.css /login /api/v1/payments /images/logo.png /api/v2/recommendations`);
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
  'curl/8.5.0',
  'kube-probe/1.29',
];
const NOUNS = list(`account address batch branch buffer bundle cache channel client cluster column config connection
  container cursor customer dataset delivery device document endpoint event feature field filter folder form frame
  gateway group handler header history image index input instance interface invoice job key label layer layout library
  limit list loader lock manager mapping message method metric migration model module monitor network node notice object
  offer operator option order owner package page parcel parser partition password path payload payment period pipeline
  plan plugin policy pool port price process product profile project property provider proxy query queue range record
  region registry release reply report request resource response result role route rule sample schedule schema scope
  script section segment sender sequence server service session setting shard signal site snapshot socket source stage
  state step store stream string subject summary supplier table target task template tenant test thread ticket timer
  token topic track transfer tree trigger type unit update upload user value variable vendor version view volume worker`);
const VERBS = list(`adds applies builds calls checks cleans closes collects combines compares computes copies counts creates
  defines delivers describes divides draws emits expects exports fetches fills filters finds follows formats gathers
  gives groups handles holds imports joins keeps leads lists loads logs makes maps marks matches merges moves names
  needs offers opens orders parses passes picks plans prints reads receives records refers renders replaces returns
  reviews runs saves scans selects sends serves sets shares shows sorts splits starts stores streams tracks uses waits
  walks wraps writes`);
const ADJECTIVES = list(`active available basic brief calm central clear common complete current daily default direct early
  empty entire even exact final fixed full general given global good inner internal known large last late local long
  main major manual many minor modern monthly new next normal old open optional outer partial plain present previous
  primary public quick ready recent regular related remote second separate shared short similar simple single small
  special stable standard steady temporary typical usual valid weekly whole wide`);

/** @typedef {import('./random').Random} Random */

/** @param {Random} random */
function personName(random) {
  return `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`;
}

/** @param {Random} random */
function sentence(random) {
  const noun = () => random.pick(NOUNS);
  const phrase = () => (random.chance(0.5) ? `the ${random.pick(ADJECTIVES)} ${noun()}` : `the ${noun()}`);
  const forms = [
    () => `${capital(phrase())} ${random.pick(VERBS)} ${phrase()} before ${phrase()} ${random.pick(VERBS)} it.`,
    () => `When ${phrase()} ${random.pick(VERBS)} ${phrase()}, ${phrase()} ${random.pick(VERBS)} the ${noun()} as well.`,
    () => `Each ${noun()} ${random.pick(VERBS)} one ${noun()} and a ${random.pick(ADJECTIVES)} ${noun()}.`,
    () => `In ${phrase()}, a ${noun()} ${random.pick(VERBS)} ${phrase()} for every ${noun()} of ${phrase()}.`,
    () => `${capital(phrase())} is ${random.pick(ADJECTIVES)}, so ${phrase()} ${random.pick(VERBS)} ${phrase()} only once.`,
  ];
  return random.pick(forms)();
}

/** @param {Random} random @param {number} sentences */
function paragraph(random, sentences) {
  return Array.from({ length: sentences }, () => sentence(random)).join(' ');
}

/** @param {string} text */
function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

module.exports = {
  ADJECTIVES, AGENTS, AIRPORTS, CITIES, COUNTRIES, HOSTS, NOUNS, PATHS, REGIONS, SERVICES, VERBS,
  capital, paragraph, personName, sentence,
};
