// What the JavaScript DocumentClient and ElectroDB get from a table, as JSON. Arguments: endpoint, table.
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import electro from "electrodb";

const [endpoint, table] = process.argv.slice(2);
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const client = new DynamoDBClient({ region: "us-east-1", endpoint, credentials });
const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
const keys = (hashes, ranges) => [
  ...hashes.split(" ").map((AttributeName) => ({ AttributeName, KeyType: "HASH" })),
  ...ranges.split(" ").map((AttributeName) => ({ AttributeName, KeyType: "RANGE" })),
];
const types = { pk: "S", sk: "S", pk2: "S", sk2: "S", team: "S", owner: "S", status: "S", points: "N" };
const index = (IndexName, KeySchema) => ({ IndexName, KeySchema, Projection: { ProjectionType: "ALL" } });

await client.send(new CreateTableCommand({
  TableName: table,
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: Object.entries(types).map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
  KeySchema: keys("pk", "sk"),
  GlobalSecondaryIndexes: [index("second", keys("pk2", "sk2")), index("wide", keys("team owner", "status points"))],
}));

const found = {};
const Key = { pk: "a", sk: "1" };
const item = { ...Key, n: 1.5, things: [1, "x", { y: true }], letters: new Set(["p", "q"]), nothing: null };
await documents.send(new PutCommand({ TableName: table, Item: item }));
const update = await documents.send(new UpdateCommand({
  TableName: table,
  Key,
  UpdateExpression: "SET n = n + :one, things[1] = :new ADD letters :more",
  ExpressionAttributeValues: { ":one": 1, ":new": "z", ":more": new Set(["r"]) },
  ReturnValues: "ALL_NEW",
}));
found.updated = { ...update.Attributes, letters: [...update.Attributes.letters].sort() };
await documents.send(new TransactWriteCommand({ TransactItems: [
  { Put: { TableName: table, Item: { pk: "a", sk: "2" } } },
  { Delete: { TableName: table, Key: { pk: "b", sk: "1" } } },
] }));
found.kept = (await documents.send(new GetCommand({ TableName: table, Key }))).Item.n;
found.counted = (await documents.send(new QueryCommand({
  TableName: table, KeyConditionExpression: "pk = :a", ExpressionAttributeValues: { ":a": "a" },
}))).Count;

const Task = new electro.Entity({
  model: { entity: "task", version: "1", service: "work" },
  attributes: {
    team: { type: "string", required: true },
    id: { type: "string", required: true },
    owner: { type: "string", required: true },
    points: { type: "number", default: 1 },
    status: { type: ["open", "done"], default: "open" },
    notes: { type: "list", items: { type: "string" } },
  },
  indexes: {
    own: { pk: { field: "pk", composite: ["team"] }, sk: { field: "sk", composite: ["id"] } },
    of: { index: "second", pk: { field: "pk2", composite: ["owner"] }, sk: { field: "sk2", composite: ["status", "id"] } },
    wide: {
      index: "wide", type: "composite", pk: { composite: ["team", "owner"] }, sk: { composite: ["status", "points"] },
    },
  },
}, { client: documents, table });

await Task.create({ team: "t", id: "1", owner: "ann" }).go();
found.twice = await Task.create({ team: "t", id: "1", owner: "ann" }).go().then(() => "made", (error) => error.message);
const many = Array.from({ length: 60 }, (_, i) => ({ team: "t", id: String(i + 2), owner: i % 2 ? "ann" : "bob", points: i }));
await Task.put(many).go();
await Task.update({ team: "t", id: "1" }).set({ status: "done", owner: "ann" }).add({ points: 5 }).append({ notes: ["x"] })
  .where((task, { eq }) => eq(task.status, "open")).go();
found.task = (await Task.get({ team: "t", id: "1" }).go()).data;
found.begins = (await Task.query.own({ team: "t" }).begins({ id: "1" }).go()).data.length;
found.filtered = (await Task.query.of({ owner: "ann", status: "open" }).where((task, { gt }) => gt(task.points, 30))
  .go({ pages: "all" })).data.length;
found.wide = (await Task.query.wide({ team: "t", owner: "ann", status: "open" }).between({ points: 50 }, { points: 55 })
  .go({ order: "desc" })).data.map((task) => task.points);
const work = new electro.Service({ task: Task });
found.cancelled = (await work.transaction.write(({ task }) => [
  task.patch({ team: "t", id: "1" }).set({ points: 9 }).commit(),
  task.create({ team: "t", id: "2", owner: "x" }).commit({ response: "all_old" }),
]).go()).canceled;
found.ordered = (await Task.get([{ team: "t", id: "3" }, { team: "t", id: "none" }]).go({ preserveBatchOrder: true })).data
  .map((task) => task && task.id);
console.log(JSON.stringify(found));
