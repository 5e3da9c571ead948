// An OpenID provider for tests: whoever names a login is that person, and every client is trusted.
// POST /rotate-keys makes a new key, with which everything is signed from then on.
// Arguments: its port, and the site's URL.
import { generateKeyPair, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { Provider } from "oidc-provider";
import MemoryAdapter from "./node_modules/oidc-provider/lib/adapters/memory_adapter.js";

const [port, site] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const keys = [];
class SharedAdapter extends MemoryAdapter {} // so that sessions survive a rotation
const cookies = [randomUUID()];

async function addKey() {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" };
  keys.unshift({ ...key, kid: randomUUID() });
}

const web = {
  client_id: "web",
  client_secret: "a-secret-of-the-tests",
  redirect_uris: [`${site}/accounts/oidc/test/login/callback/`],
  backchannel_logout_uri: `${site}/auth/backchannel-logout/`,
  backchannel_logout_session_required: true,
};

function build() {
  const provider = new Provider(issuer, {
    adapter: SharedAdapter,
    clients: [web],
    cookies: { keys: cookies },
    jwks: { keys: [...keys] },
    pkce: { required: () => false },
    // The default refuses to call a site on this machine.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // No page that asks for consent.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      grant.addOIDCScope("openid");
      grant.addResourceScope("urn:api", "chat");
      await grant.save();
      return grant;
    },
    // The access token names the session, as the logout token does.
    extraTokenClaims: ({ oidc }) => ({ sid: oidc.entities.AuthorizationCode.sid }),
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:api",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "chat",
          audience: "api",
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  provider.on("backchannel.error", (_, error) => console.error("logout not delivered:", error));
  provider.on("server_error", (_, error) => console.error(error));
  return provider.callback();
}

await addKey();
let handle = build();
createServer(async (request, response) => {
  if (request.url === "/rotate-keys") {
    await addKey();
    handle = build();
    response.end();
  } else {
    handle(request, response);
  }
}).listen(Number(port), "127.0.0.1");
