// What a merchant's server does with a client that is generated from docs/openapi.json: it compiles
// only while paths, parameters, bodies and answers are what the contract says.
import createClient from "openapi-fetch";
import type { components, paths } from "./contract";

type Payment = components["schemas"]["PaymentRecord"];
type Problem = components["schemas"]["Problem"];

export async function work(baseUrl: string, apiKey: string): Promise<Payment[]> {
  const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${apiKey}` } });
  const listed = await client.GET("/v1/payments", {
    params: { query: { limit: 20, state: "captured", currency: "EUR", method: "card" } },
  });
  if (listed.error) {
    const problem: Problem = listed.error;
    throw new Error(`${problem.code}: ${problem.detail} (${problem.param ?? "no parameter"})`);
  }
  for (const payment of listed.data.data) {
    const refund = await client.POST("/v1/payments/{id}/refunds", {
      params: { path: { id: payment.id }, header: { "Idempotency-Key": "refund-1" } },
      body: { amount: 100, reference: "A-1" },
    });
    const state: "pending" | "succeeded" | "failed" | undefined = refund.data?.state;
    if (state === "failed") {
      throw new Error("the refund failed");
    }
  }
  const endpoint = await client.POST("/v1/webhook-endpoints", {
    params: { header: { "Idempotency-Key": "endpoint-1" } },
    body: { url: "https://shop.example/webhooks", event_types: ["payment.captured"] },
  });
  const secret: string | undefined = endpoint.data?.secret;
  if (secret === undefined) {
    throw new Error("no secret");
  }
  // @ts-expect-error no state has this name
  await client.GET("/v1/payments", { params: { query: { state: "paid" } } });
  // @ts-expect-error an amount is a number
  await client.POST("/v1/payments/{id}/refunds", { params: { path: { id: "" }, header: { "Idempotency-Key": "a" } }, body: { amount: "1" } });
  // @ts-expect-error a write needs an Idempotency-Key
  await client.POST("/v1/payments/{id}/void", { params: { path: { id: "" } }, body: {} });
  return listed.data.data;
}
