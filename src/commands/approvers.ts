import type { Explanation, GateFacts, OwnedFiles, PersonFacts } from './gate.ts';
import type { ApproverGroup, Approvers, GatePolicy } from './gate-policy.ts';
import { quote, quoteList } from './quote.ts';

/** Who is among the approvers that a policy names, and whether enough of them said yes. */

type Owners = Pick<GateFacts, 'owners'>;

/** Undefined when the person is among them. */
export function whyNotAmong(approvers: Approvers, person: PersonFacts, facts: Owners): string | undefined {
  if (!hasPermission(approvers, person))
    return `${approvers.permission} access is needed, and there is ${accessWords(person.permission)}`;
  if (!isListed(approvers, person, facts)) return `only ${memberWords({ ...approvers, permission: 'write' })} count`;
  const groups = [...approvers.anyOf, ...approvers.allOf];
  if (groups.length === 0 || groups.some((group) => whyNotAmong(group, person, facts) === undefined)) return undefined;
  return `only these count: ${groups.map(memberWords).join('; ')}`;
}

/** The tree for one group: holds when enough people of it approved and everything below it holds too. */
export function approversHold(
  group: ApproverGroup,
  approved: readonly PersonFacts[],
  could: readonly PersonFacts[],
  facts: Owners,
): Explanation {
  const isAmong = (person: PersonFacts) => whyNotAmong(group, person, facts) === undefined;
  const counted = approved.filter(isAmong);
  const all = group.allOf.map((inner) => approversHold(inner, approved, could, facts));
  const any = group.anyOf.map((inner) => approversHold(inner, approved, could, facts));
  const owners = group.codeowners ? ownersHold(approved, could, facts) : [];
  const children = [...all, ...(any.length > 0 ? [oneOf(any)] : []), ...owners];
  return {
    holds: counted.length >= group.count && children.every((child) => child.holds),
    text: needWords(group),
    countedLogins: logins(counted),
    couldLogins: logins(could.filter(isAmong)),
    children,
  };
}

function oneOf(children: readonly Explanation[]): Explanation {
  return {
    holds: children.some((child) => child.holds),
    text: 'one of these',
    countedLogins: unique(children.flatMap((child) => child.countedLogins)),
    couldLogins: unique(children.flatMap((child) => child.couldLogins)),
    children,
  };
}

/** Every touched file that has owners needs one of them, as GitHub asks for reviews. */
function ownersHold(
  approved: readonly PersonFacts[],
  could: readonly PersonFacts[],
  { owners }: Owners,
): Explanation[] {
  if (owners === 'unknown')
    return [
      {
        holds: false,
        text: 'owners of the touched files (which files are touched is not known, so this cannot be told)',
        countedLogins: [],
        couldLogins: [],
        children: [],
      },
    ];
  return owners
    .filter((owned) => owned.owners.length > 0)
    .map((owned) => {
      const counted = approved.filter((person) => owns(owned, person));
      return {
        holds: counted.length > 0,
        text: `an owner of ${fileWords(owned)} (${quoteList(owned.owners)})`,
        countedLogins: logins(counted),
        couldLogins: logins(could.filter((person) => owns(owned, person))),
        children: [],
      };
    });
}

function hasPermission(approvers: Approvers, person: PersonFacts): boolean {
  if (person.permission === 'admin') return true;
  return approvers.permission === 'write' && person.permission === 'write';
}

function isListed(approvers: Approvers, person: PersonFacts, { owners }: Owners): boolean {
  const hasOwners = owners === 'unknown' || owners.some((owned) => owned.owners.length > 0);
  const isOpen = approvers.users.length === 0 && approvers.teams.length === 0 && !(approvers.codeowners && hasOwners);
  return isOpen || isUser(approvers, person) || isMember(approvers.teams, person) || isOwner(approvers, person, owners);
}

function isUser(approvers: Approvers, person: PersonFacts): boolean {
  return approvers.users.some((user) => (typeof user === 'number' ? user === person.id : same(user, person.login)));
}

function isMember(teams: readonly string[], person: PersonFacts): boolean {
  return teams.some((team) => person.teams.some((membership) => same(membership, team)));
}

function isOwner(approvers: Approvers, person: PersonFacts, owners: GateFacts['owners']): boolean {
  return approvers.codeowners && owners !== 'unknown' && owners.some((owned) => owns(owned, person));
}

/** An owner written as an e-mail address cannot be told to be an account, so it never matches. */
function owns(owned: OwnedFiles, person: PersonFacts): boolean {
  return owned.owners.some((owner) => {
    if (!owner.startsWith('@')) return false;
    const name = owner.slice(1);
    return name.includes('/') ? isMember([name], person) : same(name, person.login);
  });
}

/** What a group asks for, without its own groups: `2 members of team acme/release with write access`, with names as code. */
function needWords(group: ApproverGroup): string {
  const people = group.count === 1 ? '1 person' : `${group.count} people`;
  if (isUnlisted(group)) return `${people}${accessOf(group)}`;
  if (group.users.length === 0 && !group.codeowners)
    return `${group.count} ${group.count === 1 ? 'member' : 'members'} of ${teamWords(group)}${accessOf(group)}`;
  return `${people}${accessOf(group)} out of: ${listed(group).join(', ')}`;
}

/** A whole policy in one line, for people who are not yet at its gate. */
export function policyWords(policy: GatePolicy): string {
  const also = [
    ...(policy.allowAuthor ? ['the author'] : []),
    ...(policy.allowLastPusher ? ['whoever pushed last'] : []),
    ...(policy.allowCommitters ? ['authors of its commits'] : []),
  ];
  const may = also.length === 0 ? '' : `; ${joined(also, 'and')} may be among them`;
  return `${groupWords({ ...policy.from, count: policy.count })}${may}`;
}

function groupWords(group: ApproverGroup): string {
  const all = group.allOf.map((inner) => `, among them ${groupWords(inner)}`).join('');
  const any = group.anyOf.length === 0 ? '' : `, among them either ${group.anyOf.map(groupWords).join(' or ')}`;
  return `${needWords(group)}${all}${any}`;
}

/** Of whom a group is made, however many it asks for. */
function memberWords(group: Approvers): string {
  const people = isUnlisted(group) ? 'people' : joined(listed(group), 'and');
  return `${people}${isUnlisted(group) || group.permission === 'admin' ? accessOf(group) : ''}`;
}

function isUnlisted({ users, teams, codeowners }: Approvers): boolean {
  return users.length === 0 && teams.length === 0 && !codeowners;
}

function listed({ users, teams, codeowners }: Approvers): readonly string[] {
  return [
    ...users.map((user) => (typeof user === 'number' ? `account ${user}` : quote(user))),
    ...teams.map((team) => `members of team ${quote(team)}`),
    ...(codeowners ? ['owners of the touched files'] : []),
  ];
}

function teamWords({ teams }: Approvers): string {
  return joined(
    teams.map((team) => `team ${quote(team)}`),
    'or',
  );
}

function accessOf({ permission }: Approvers): string {
  return permission === 'admin' ? ' with admin access' : ' with write access';
}

function joined(words: readonly string[], last: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

function accessWords(permission: PersonFacts['permission']): string {
  return permission === 'none' ? 'none' : `only ${permission} access`;
}

function fileWords({ files, more = 0 }: OwnedFiles): string {
  const [first = 'no file', ...others] = files;
  const count = others.length + more;
  return count === 0 ? quote(first) : `${quote(first)} and ${count} more`;
}

function logins(people: readonly PersonFacts[]): string[] {
  return people.map(({ login }) => login);
}

function unique(names: readonly string[]): string[] {
  return Array.from(new Set(names));
}

/** GitHub's names ignore ASCII case; other letters cannot be in them, so they must not be folded into it. */
function same(a: string, b: string): boolean {
  return a === b || (/^[\x20-\x7E]*$/.test(a + b) && a.toLowerCase() === b.toLowerCase());
}
