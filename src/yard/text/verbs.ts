/** The forms of the few verbs that events are told with, so that one phrase serves statements, questions and «what if». */

export type Form = 'base' | 'present' | 'past' | 'participle';

type Forms = readonly [present: string, past: string, participle: string];

const irregular: Readonly<Record<string, Forms>> = {
  begin: ['begins', 'began', 'begun'],
  come: ['comes', 'came', 'come'],
  drive: ['drives', 'drove', 'driven'],
  fall: ['falls', 'fell', 'fallen'],
  get: ['gets', 'got', 'got'],
  give: ['gives', 'gave', 'given'],
  go: ['goes', 'went', 'gone'],
  hit: ['hits', 'hit', 'hit'],
  leave: ['leaves', 'left', 'left'],
  put: ['puts', 'put', 'put'],
  run: ['runs', 'ran', 'run'],
  set: ['sets', 'set', 'set'],
  slide: ['slides', 'slid', 'slid'],
  stop: ['stops', 'stopped', 'stopped'],
  take: ['takes', 'took', 'taken'],
  tip: ['tips', 'tipped', 'tipped'],
};

/** @param predicate begins with a verb in its base form: «stop at the gate» */
export function conjugate(predicate: string, form: Form): string {
  const [verb = '', ...rest] = predicate.split(' ');
  return [formOf(verb, form), ...rest].join(' ');
}

function formOf(verb: string, form: Form): string {
  if (form === 'base') return verb;
  const past = verb.endsWith('e') ? `${verb}d` : `${verb}ed`;
  const [present, preterite, participle] = irregular[verb] ?? [thirdPerson(verb), past, past];
  return form === 'present' ? present : form === 'past' ? preterite : participle;
}

const thirdPerson = (verb: string): string =>
  /(?:s|sh|ch)$/.test(verb) ? `${verb}es` : `${verb}s`;
