#!/usr/bin/env bash
# The chat without its template: the seven tasks of its workshop, in their order and with their names, by the AWS CLI and wscat.
# Wants `aws`, `wscat` and `python3` on the PATH, credentials that may do anything, and a folder to build in: chat_by_hand.sh FOLDER
# What a chat of today has beyond the workshop (typing, changing one's messages) comes with the task that it belongs to.
set -euo pipefail

here=$(cd "$(dirname "$0")/../../apps/chat" && pwd)
build=${1:?a folder to build in}
region=${AWS_DEFAULT_REGION:-us-east-1}
stage=production
# Version 1 of the CLI asks SQS at an address of its own, whatever AWS_ENDPOINT_URL says.
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }
account=$(aws sts get-caller-identity --query Account --output text)
task() { echo "task $*" >&2; }

task 1: ten roles, in a stack of their own
aws cloudformation create-stack --stack-name LambdaRoles --template-body "file://$here/roles.yaml" \
    --parameters "ParameterKey=AccountId,ParameterValue=$account" --capabilities CAPABILITY_IAM >/dev/null
aws cloudformation wait stack-create-complete --stack-name LambdaRoles
role() { # function
    aws cloudformation describe-stacks --stack-name LambdaRoles --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
test "$(aws cloudformation describe-stacks --stack-name LambdaRoles --query 'length(Stacks[0].Outputs)')" = 10

task 2: handlers of the three routes that every WebSocket API has
mkdir "$build/package"
cp -r "$here/functions/." "$here/../common/python/." "$build/package"  # the template has the latter in a layer
python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])' "$build/functions" "$build/package"
variables='CONNECTIONS=Connections,MESSAGES=""'
make() { # function, file, timeout, more options
    local name=$1 file=$2 timeout=$3
    shift 3
    aws lambda create-function --function-name "$name" --runtime python3.12 --role "$(role "$name")" \
        --handler "$file.handler" --timeout "$timeout" --memory-size 256 --zip-file "fileb://$build/functions.zip" \
        --environment "Variables={$variables}" "$@" >/dev/null
}
configure() { # functions: what they are to know
    for name; do
        aws lambda update-function-configuration --function-name "$name" --environment "Variables={$variables}" >/dev/null
    done
}
make ConnectHandler connect_handler 10
make DisconnectHandler disconnect_handler 10
make DefaultHandler default_handler 10

task 3: the WebSocket API
api=$(aws apigatewayv2 create-api --name chat --protocol-type WEBSOCKET \
    --route-selection-expression '$request.body.action' --query ApiId --output text)
route() { # key, function, more options
    local key=$1 function=$2 integration
    shift 2
    integration=$(aws apigatewayv2 create-integration --api-id "$api" --integration-type AWS_PROXY --integration-uri \
        "arn:aws:apigateway:$region:lambda:path/2015-03-31/functions/arn:aws:lambda:$region:$account:function:$function/invocations" \
        --query IntegrationId --output text)
    aws lambda add-permission --function-name "$function" --statement-id api --action lambda:InvokeFunction \
        --principal apigateway.amazonaws.com --source-arn "arn:aws:execute-api:$region:$account:$api/*/$key" >/dev/null
    aws apigatewayv2 create-route --api-id "$api" --route-key "$key" --target "integrations/$integration" "$@" \
        --query RouteId --output text
}
deploy() {
    aws apigatewayv2 create-deployment --api-id "$api" --query DeploymentId --output text
}
route '$connect' ConnectHandler >/dev/null
route '$disconnect' DisconnectHandler >/dev/null
route '$default' DefaultHandler >/dev/null
aws apigatewayv2 create-stage --api-id "$api" --stage-name $stage --deployment-id "$(deploy)" >/dev/null
host="$api.execute-api.$region.amazonaws.com"
socket="wss://$host/$stage"
reachable=${AWS_ENDPOINT_URL:+${AWS_ENDPOINT_URL/http/ws}/_aws/execute-api/$api/$stage}
reachable=${reachable:-$socket}
variables+=",apiGwEndpoint=https://$host/$stage"
configure DisconnectHandler DefaultHandler

task 4: the table of connections
aws dynamodb create-table --table-name Connections --attribute-definitions AttributeName=connectionId,AttributeType=S \
    --key-schema AttributeName=connectionId,KeyType=HASH --billing-mode PAY_PER_REQUEST >/dev/null
aws dynamodb wait table-exists --table-name Connections
aws dynamodb update-time-to-live --table-name Connections \
    --time-to-live-specification Enabled=true,AttributeName=expires >/dev/null
addresses() { aws dynamodb scan --table-name Connections --query 'Items[?ip].ip.S' --output text; }
connections() { [ "$(addresses | wc -w)" = "$1" ]; }
until_ok() { # a command
    for _ in $(seq 60); do
        if "$@"; then return; fi
        sleep 0.2
    done
    echo "not so: $*" >&2
    exit 1
}
window() { # name: a wscat that takes what is written to NAME.keyboard
    mkfifo "$build/$1.keyboard"
    wscat --no-color --connect "$reachable" <"$build/$1.keyboard" >"$build/$1.heard" &
    windows+=($!)
}
windows=()
heard() { grep -q "$2" "$build/$1.heard"; }
window test
exec {keyboard}>"$build/test.keyboard"
until_ok connections 1
echo "connected from $(addresses)" >&2
echo '{"action": "hello?"}' >&$keyboard
until_ok heard test 'there is no such action'
exec {keyboard}>&-
wait "${windows[@]}" || true
until_ok connections 0

task 5: messages, and the page
make SendMessageHandler send_message_handler 30
make ConnectionDetailHandler connection_detail_handler 10
make TypingHandler typing_handler 10
route sendmessage SendMessageHandler >/dev/null
route updatedetails ConnectionDetailHandler >/dev/null
route typing TypingHandler >/dev/null
aws apigatewayv2 update-stage --api-id "$api" --stage-name $stage --deployment-id "$(deploy)" >/dev/null
bucket="chat-$account-$api"
aws s3api create-bucket --bucket "$bucket" >/dev/null
aws s3 website "s3://$bucket" --index-document index.html
aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=false
aws s3api put-bucket-policy --bucket "$bucket" --policy "{\"Version\": \"2012-10-17\", \"Statement\": [
    {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::$bucket/*\"}]}"
echo "{\"socket\": \"$socket\"}" >"$build/config.json"
aws s3 cp --quiet --recursive --cache-control 'public, max-age=60' "$here/web" "s3://$bucket"
aws s3 cp --quiet --cache-control no-cache "$build/config.json" "s3://$bucket/config.json"
# Exactly this API and this bucket, now that they have names.
aws cloudformation update-stack --stack-name LambdaRoles --use-previous-template --capabilities CAPABILITY_IAM \
    --parameters ParameterKey=AccountId,UsePreviousValue=true "ParameterKey=ApiId,ParameterValue=$api" \
    "ParameterKey=WebsiteBucket,ParameterValue=$bucket" >/dev/null
aws cloudformation wait stack-update-complete --stack-name LambdaRoles
window Ann
exec {ann}>"$build/Ann.keyboard"
window Bob
exec {bob}>"$build/Bob.keyboard"
until_ok connections 2
echo '{"action": "updatedetails", "room": "lobby", "name": "Ann"}' >&$ann
until_ok heard Ann '"type":"joined"'
echo '{"action": "updatedetails", "room": "lobby", "name": "Bob"}' >&$bob
until_ok heard Bob '"type":"joined"'
echo '{"action": "sendmessage", "text": "hello"}' >&$ann
until_ok heard Bob '"text":"hello"'
exec {ann}>&- {bob}>&-
wait "${windows[@]}" || true

task 6: messages are remembered
aws dynamodb create-table --table-name Messages --billing-mode PAY_PER_REQUEST --attribute-definitions \
    AttributeName=userHandle,AttributeType=S AttributeName=timestamp,AttributeType=N \
    AttributeName=room,AttributeType=S AttributeName=seq,AttributeType=N \
    --key-schema AttributeName=userHandle,KeyType=HASH AttributeName=timestamp,KeyType=RANGE \
    --global-secondary-indexes 'IndexName=byRoom,KeySchema=[{AttributeName=room,KeyType=HASH},{AttributeName=seq,KeyType=RANGE}],Projection={ProjectionType=ALL}' >/dev/null
aws dynamodb wait table-exists --table-name Messages
aws dynamodb update-time-to-live --table-name Messages \
    --time-to-live-specification Enabled=true,AttributeName=timestamp >/dev/null
variables=${variables/MESSAGES=\"\",/MESSAGES=Messages,MESSAGE_LIFETIME=86400,}
make MessageRetrievalHandler message_retrieval_handler 10
make ChangeMessageHandler change_message_handler 10
getmessages=$(route getmessages MessageRetrievalHandler --route-response-selection-expression '$default')
aws apigatewayv2 create-route-response --api-id "$api" --route-id "$getmessages" --route-response-key '$default' >/dev/null
route changemessage ChangeMessageHandler >/dev/null
configure SendMessageHandler
aws apigatewayv2 update-stage --api-id "$api" --stage-name $stage --deployment-id "$(deploy)" >/dev/null

task 7: translation
topic=$(aws sns create-topic --name MessagesTopic --query TopicArn --output text)
aws sqs create-queue --queue-name TranslationDeadLetters >/dev/null
variables+=",translationTopic=$topic"
make TranslationHandler translation_handler 60 \
    --dead-letter-config "TargetArn=arn:aws:sqs:$region:$account:TranslationDeadLetters"
aws lambda add-permission --function-name TranslationHandler --statement-id topic --action lambda:InvokeFunction \
    --principal sns.amazonaws.com --source-arn "$topic" >/dev/null
aws sns subscribe --topic-arn "$topic" --protocol lambda \
    --notification-endpoint "arn:aws:lambda:$region:$account:function:TranslationHandler" >/dev/null
configure SendMessageHandler ChangeMessageHandler
aws lambda wait function-updated-v2 --function-name SendMessageHandler

echo "website http://$bucket.s3-website-$region.amazonaws.com/"
echo "bucket $bucket"
echo "api $api"
