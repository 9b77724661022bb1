// A browser as far as a login needs one: it keeps cookies, follows redirects, and fills in every form that it meets.

const STEPS = 25;

export class Browser {
  cookies = new Map();

  async open(url, form) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      method: form ? "POST" : "GET",
      headers: { cookie, ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
      body: form && new URLSearchParams(form),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(";")[0].split("=");
      if (value.join("=")) this.cookies.set(name, value.join("="));
      else this.cookies.delete(name);
    }
    return response;
  }

  // Goes on from `url` until a page asks for nothing more, or `until` says that this address is the end. Answers both.
  async go(url, answers, until = () => false) {
    let form;
    for (let step = 0; step < STEPS; step += 1) {
      if (until(url)) return { url };
      const response = await this.open(url, form);
      form = undefined;
      const text = await response.text();
      if (response.status >= 300 && response.status < 400) {
        url = new URL(response.headers.get("location"), url).href;
        continue;
      }
      if (!response.ok) throw new Error(`${response.status} at ${url}: ${text.slice(0, 400)}`);
      const found = /<form[^>]*>[\s\S]*?<\/form>/i.exec(text)?.[0];
      if (!found) return { url, text };
      const action = attribute(/<form[^>]*>/i.exec(found)[0], "action") ?? url;
      form = {};
      for (const [input] of found.matchAll(/<input[^>]*>/gi)) {
        const name = attribute(input, "name");
        if (name) form[name] = answers[name] ?? attribute(input, "value") ?? "";
      }
      url = new URL(action, url).href;
    }
    throw new Error(`no end after ${STEPS} steps, at ${url}`);
  }
}

function attribute(tag, name) {
  const found = new RegExp(`\\s${name}="([^"]*)"`, "i").exec(tag)?.[1];
  return found?.replaceAll("&amp;", "&");
}
