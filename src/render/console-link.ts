import { link } from './markdown.ts';

const consoles = ['.aws.amazon.com', '.amazonaws.cn', '.amazonaws-us-gov.com'];

/**
 * A link to a page of an AWS console. Workers of custom actions report addresses of their own, and whoever reads a
 * check run trusts what it links: any other address gives undefined.
 */
export function consoleLink(label: string, url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname, username } = new URL(url);
  if (protocol !== 'https:' || username !== '') return undefined;
  return consoles.some((end) => `.${hostname}`.endsWith(end)) ? link(label, url) : undefined;
}
