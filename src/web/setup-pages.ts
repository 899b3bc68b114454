import { html } from 'hono/html';
import type { AppCredentials } from './app-credentials.ts';
import type { AppManifest } from './app-manifest.ts';
import { layout } from './layout.ts';

export interface RegistrationForm {
  readonly manifest: AppManifest;
  /** GitHub's page that takes the manifest, with our state. */
  readonly target: string;
  readonly organization?: string;
  /** Something that will not work out as things are. */
  readonly warning?: string;
  readonly setupToken: string;
}

export function registrationPage(form: RegistrationForm): Promise<string> {
  const { manifest, organization } = form;
  return layout({
    title: 'Register the GitHub App',
    main: html`<h1>Register the GitHub App</h1>
      <p>Penstock needs an App of its own on GitHub. GitHub shows you what it asks for before anything is made.</p>
      ${form.warning === undefined ? '' : html`<p class="note">${form.warning}</p>`}
      <table>
        <tr>
          <th>Name</th>
          <td>${manifest.name} (you can change it on GitHub's page)</td>
        </tr>
        <tr>
          <th>Owner</th>
          <td>${organization ?? 'your own account'}</td>
        </tr>
        <tr>
          <th>Webhooks go to</th>
          <td><code>${manifest.hook_attributes.url}</code></td>
        </tr>
        <tr>
          <th>Permissions</th>
          <td>
            ${Object.entries(manifest.default_permissions)
              .map(([name, level]) => `${name.replaceAll('_', ' ')}: ${level}`)
              .join(', ')}
          </td>
        </tr>
      </table>
      <form method="post" action="${form.target}">
        <input type="hidden" name="manifest" value="${JSON.stringify(manifest)}" />
        <p><button>Go to GitHub and register</button></p>
      </form>
      <form method="get" action="/setup">
        <input type="hidden" name="token" value="${form.setupToken}" />
        <label
          >For an organization instead: <input type="text" name="organization" value="${organization ?? ''}"
        /></label>
        <p><button>Use this owner</button></p>
      </form>`,
  });
}

export function registeredPage(app: AppCredentials, savedTo: string): Promise<string> {
  return layout({
    title: 'Registered',
    main: html`<h1>The App ${app.slug} is registered</h1>
      <p>
        Its credentials are in <code>${savedTo}</code>, readable by this server's user only, and Penstock starts with
        them now. Keep a copy of that file and of <code>app.pem</code> beside it: GitHub does not show them again.
      </p>
      <p>
        What is left: <a href="${app.html_url}/installations/new">install it</a> on your repositories, and add
        <code>.github/penstock.yml</code> to one of them.
      </p>`,
  });
}

/** For a disk that cannot be written: the values are shown this once, and never stored. */
export function showOncePage(app: AppCredentials, why: string): Promise<string> {
  return layout({
    title: 'Registered: keep these values',
    main: html`<h1>The App ${app.slug} is registered</h1>
      <p class="note">
        The credentials could not be saved (${why}). They are shown this once: set them as environment variables or
        secrets of your platform, then start Penstock again.
      </p>
      <pre tabindex="0">
APP_ID=${app.id}
WEBHOOK_SECRET=${app.webhook_secret}
PRIVATE_KEY="${app.pem.trim().replaceAll('\n', String.raw`\n`)}"</pre>
      <p>Then <a href="${app.html_url}/installations/new">install the App</a> on your repositories.</p>`,
  });
}

export function setupProblemPage(what: string): Promise<string> {
  return layout({
    title: 'Not registered',
    main: html`<h1>Not registered</h1>
      <p>${what}</p>`,
  });
}
