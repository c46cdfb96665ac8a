#!/usr/bin/env bash
# A textbook's first WebSocket application, a broadcast chat in Node.js, in its three increments and with its names, by the AWS CLI.
# Wants `aws`, `node` with the package `ws` and `python3`, credentials that may do anything, and a folder to build in:
# book_chat_by_hand.sh FOLDER
# The printed code doesn't parse, asks for version 2 of the SDK, which runtimes of today don't have, and relays plain text
# that its client reads as JSON; here it is in a form that does what the text says.
set -euo pipefail

build=${1:?a folder to build in}
region=${AWS_DEFAULT_REGION:-us-east-1}
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }
account=$(aws sts get-caller-identity --query Account --output text)
increment() { echo "increment $*" >&2; }
until_ok() { # a command
    for _ in $(seq 100); do
        if "$@"; then return; fi
        sleep 0.2
    done
    echo "not so: $*" >&2
    exit 1
}

increment 1: a gateway, and a function that logs
aws iam create-role --role-name awsfundamentals-websockets --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' >/dev/null
aws iam attach-role-policy --role-name awsfundamentals-websockets \
    --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
cat >"$build/index.mjs" <<'JS'
export const handler = async (event) => {
  console.log(JSON.stringify(event));
};
JS
pack() { # file
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2], sys.argv[3])' \
        "$build/$1.zip" "$build/$1" "$1"
}
pack index.mjs
aws lambda create-function --function-name awsfundamentals-websockets --runtime nodejs20.x --handler index.handler \
    --role "arn:aws:iam::$account:role/awsfundamentals-websockets" --zip-file "fileb://$build/index.mjs.zip" >/dev/null
aws lambda wait function-active-v2 --function-name awsfundamentals-websockets
api=$(aws apigatewayv2 create-api --name awsfundamentals-websockets --protocol-type WEBSOCKET \
    --route-selection-expression '$request.body.action' --query ApiId --output text)
for route in '$connect' '$disconnect' '$default'; do
    integration=$(aws apigatewayv2 create-integration --api-id "$api" --integration-type AWS_PROXY --integration-uri \
        "arn:aws:apigateway:$region:lambda:path/2015-03-31/functions/arn:aws:lambda:$region:$account:function:awsfundamentals-websockets/invocations" \
        --query IntegrationId --output text)
    aws apigatewayv2 create-route --api-id "$api" --route-key "$route" --target "integrations/$integration" >/dev/null
done
aws lambda add-permission --function-name awsfundamentals-websockets --statement-id api --action lambda:InvokeFunction \
    --principal apigateway.amazonaws.com --source-arn "arn:aws:execute-api:$region:$account:$api/*" >/dev/null
deployment=$(aws apigatewayv2 create-deployment --api-id "$api" --query DeploymentId --output text)
aws apigatewayv2 create-stage --api-id "$api" --stage-name production --deployment-id "$deployment" >/dev/null
endpoint="https://$api.execute-api.$region.amazonaws.com/production"
url=${AWS_ENDPOINT_URL:+${AWS_ENDPOINT_URL/http/ws}/_aws/execute-api/$api/production}
url=${url:-${endpoint/https/wss}}
cat >"$build/client.js" <<'JS'
const WebSocket = require("ws");
const [url, name] = process.argv.slice(2);
const socket = new WebSocket(url);

socket.onopen = () => {
  console.log(`Connected to ${url}`);
  if (name) setInterval(() => socket.send(`Hello from ${name}!`), Number(process.env.PAUSE_MS ?? 5000));
};
socket.onmessage = (event) => console.log(`Received: ${JSON.parse(event.data).message}`);

setTimeout(() => {}, 120000); // stays alive
JS
node "$build/client.js" "$url" >"$build/client.log" &
client=$!
until_ok grep -q Connected "$build/client.log"
kill $client
events() { # eventType
    aws logs filter-log-events --log-group-name /aws/lambda/awsfundamentals-websockets --output text \
        --query 'events[].message' 2>/dev/null | grep -q "\"eventType\":\"$1\""
}
until_ok events CONNECT
until_ok events DISCONNECT

increment 2: connections are remembered
aws dynamodb create-table --table-name ws-connections --attribute-definitions AttributeName=connectionId,AttributeType=S \
    --key-schema AttributeName=connectionId,KeyType=HASH --billing-mode PAY_PER_REQUEST >/dev/null
aws dynamodb wait table-exists --table-name ws-connections
table="{\"Sid\": \"DynamoDBAccess\", \"Effect\": \"Allow\", \"Action\": [\"dynamodb:PutItem\", \"dynamodb:DeleteItem\", \"dynamodb:Scan\"],
    \"Resource\": \"arn:aws:dynamodb:$region:$account:table/ws-connections\"}"
allow() { # statements
    aws iam put-role-policy --role-name awsfundamentals-websockets --policy-name websockets \
        --policy-document "{\"Version\": \"2012-10-17\", \"Statement\": [$1]}"
}
allow "$table"
cat >"$build/index.js" <<'JS'
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { DeleteCommand, DynamoDBDocumentClient, PutCommand } = require("@aws-sdk/lib-dynamodb");

const TableName = "ws-connections";
const db = DynamoDBDocumentClient.from(new DynamoDBClient({ region: process.env.AWS_REGION }));

exports.handler = async (event) => {
  if (!event.requestContext?.routeKey) return { statusCode: 400 };
  const { connectionId, routeKey } = event.requestContext;
  switch (routeKey) {
    case "$connect":
      await db.send(new PutCommand({ TableName, Item: { connectionId } }));
      break;
    case "$disconnect":
      await db.send(new DeleteCommand({ TableName, Key: { connectionId } }));
      break;
    default:
      console.log("Unknown routeKey", routeKey);
  }
  return { statusCode: 200 };
};
JS
update() {
    pack index.js
    aws lambda update-function-code --function-name awsfundamentals-websockets --zip-file "fileb://$build/index.js.zip" >/dev/null
    aws lambda wait function-updated-v2 --function-name awsfundamentals-websockets
}
update
connections() { # number
    [ "$(aws dynamodb scan --table-name ws-connections --query Count)" = "$1" ]
}
node "$build/client.js" "$url" >"$build/client.log" &
client=$!
until_ok connections 1
kill $client
until_ok connections 0

increment 3: what one says, the others hear
allow "$table, {\"Effect\": \"Allow\", \"Action\": \"execute-api:ManageConnections\", \"Resource\": \"arn:aws:execute-api:$region:$account:$api/*\"}"
cat >"$build/index.js" <<'JS'
const { ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand } = require("@aws-sdk/client-apigatewaymanagementapi");
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { DeleteCommand, DynamoDBDocumentClient, PutCommand, paginateScan } = require("@aws-sdk/lib-dynamodb");

const TableName = "ws-connections";
const db = DynamoDBDocumentClient.from(new DynamoDBClient({ region: process.env.AWS_REGION }));
const api = new ApiGatewayManagementApiClient({ endpoint: process.env.ENDPOINT });

async function post(connectionId, message) {
  try {
    await api.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: JSON.stringify({ message }) }));
  } catch (error) {
    if (!(error instanceof GoneException)) throw error;
    await db.send(new DeleteCommand({ TableName, Key: { connectionId } }));
  }
}

async function broadcast(message, sender) {
  for await (const page of paginateScan({ client: db }, { TableName })) {
    const others = page.Items.map((item) => item.connectionId).filter((id) => id !== sender);
    await Promise.all(others.map((id) => post(id, message)));
  }
}

exports.handler = async (event) => {
  if (!event.requestContext?.routeKey) return { statusCode: 400 };
  const { connectionId, routeKey } = event.requestContext;
  switch (routeKey) {
    case "$connect":
      await db.send(new PutCommand({ TableName, Item: { connectionId } }));
      break;
    case "$disconnect":
      await db.send(new DeleteCommand({ TableName, Key: { connectionId } }));
      break;
    default:
      await broadcast(event.body, connectionId);
  }
  return { statusCode: 200 };
};
JS
update
aws lambda update-function-configuration --function-name awsfundamentals-websockets \
    --environment "Variables={ENDPOINT=$endpoint}" >/dev/null
aws lambda wait function-updated-v2 --function-name awsfundamentals-websockets
names=(first-client second-client third-client)
clients=()
for name in "${names[@]}"; do
    PAUSE_MS=${PAUSE_MS:-500} node "$build/client.js" "$url" "$name" >"$build/$name.log" &
    clients+=($!)
done
hears_the_others() { # name
    for other in "${names[@]}"; do
        [ "$other" = "$1" ] || grep -qx "Received: Hello from $other!" "$build/$1.log" || return 1
    done
}
for name in "${names[@]}"; do
    until_ok hears_the_others "$name"
done
kill "${clients[@]}"
until_ok connections 0
echo "api $api"
