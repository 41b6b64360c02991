// Passkeys on the console's pages. Each form with data-passkey holds the options
// that the server chose; its button asks the device, and the form then carries
// what the device answered. Nothing else is sent.
//
//   <form method="post" data-passkey="get|create" data-options="{…}" hidden>
//     <input type="hidden" name="credential">
//     <p data-passkey-failed hidden>…</p>
//     <button type="submit">…</button>
//   </form>

const able = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON;

async function ask(form) {
  const { publicKey } = JSON.parse(form.dataset.options);
  if (form.dataset.passkey === 'create') {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!able) continue; // the form stays hidden
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const failed = form.querySelector('[data-passkey-failed]');
    failed.hidden = true;
    try {
      const credential = await ask(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit(); // sends without asking this listener again
    } catch {
      failed.hidden = false; // refused, cancelled, or no passkey on this device
    }
  });
}
