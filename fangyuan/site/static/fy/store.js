// What is kept on this machine until the server has it: drafts by name, submissions in order.
const NAME = "fangyuan";
let opened = null;

function base() {
  opened ||= new Promise((resolve, reject) => {
    const ask = indexedDB.open(NAME, 1);
    ask.onupgradeneeded = () => {
      ask.result.createObjectStore("drafts", { keyPath: "key" });
      ask.result.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
    };
    ask.onsuccess = () => resolve(ask.result);
    ask.onerror = () => reject(ask.error);
  });
  return opened;
}

async function run(store, mode, act) {
  const db = await base();
  return new Promise((resolve, reject) => {
    const deal = db.transaction(store, mode);
    const ask = act(deal.objectStore(store));
    // A write counts once the transaction is through, not when the request is.
    deal.oncomplete = () => resolve(ask?.result);
    deal.onerror = () => reject(deal.error);
    deal.onabort = () => reject(deal.error);
  });
}

export const put = (store, item) => run(store, "readwrite", (box) => box.put(item));
export const get = (store, key) => run(store, "readonly", (box) => box.get(key));
export const drop = (store, key) => run(store, "readwrite", (box) => box.delete(key));
export const list = (store) => run(store, "readonly", (box) => box.getAll());
