#!/usr/bin/env bash
# Scribble without a template: the twelve steps of its deployment guide, in its order and with its names, by the AWS CLI.
# Wants `aws` and `python3` on the PATH, credentials that may do anything, and a folder to build in: scribble_by_hand.sh FOLDER
# Where the guide's application has been improved, the step says so.
set -euo pipefail

here=$(cd "$(dirname "$0")/../../apps/scribble" && pwd)
build=${1:?a folder to build in}
region=${AWS_DEFAULT_REGION:-us-east-1}
# Version 1 of the CLI asks SQS at an address of its own, whatever AWS_ENDPOINT_URL says.
aws() { command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }
account=$(aws sts get-caller-identity --query Account --output text)
stage=production
step() { echo "step $*" >&2; }

step 1: an administrator
aws iam create-user --user-name scribbleAdmin >/dev/null
aws iam attach-user-policy --user-name scribbleAdmin --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY < <(aws iam create-access-key --user-name scribbleAdmin \
    --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

step 2: a VPC with public and private subnets in three zones, NAT, and gateway endpoints
vpc=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
aws ec2 modify-vpc-attribute --vpc-id "$vpc" --enable-dns-hostnames Value=true
gateway=$(aws ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
aws ec2 attach-internet-gateway --vpc-id "$vpc" --internet-gateway-id "$gateway"
public_routes=$(aws ec2 create-route-table --vpc-id "$vpc" --query RouteTable.RouteTableId --output text)
private_routes=$(aws ec2 create-route-table --vpc-id "$vpc" --query RouteTable.RouteTableId --output text)
public=() private=()
number=0
for zone in a b c; do
    public+=("$(aws ec2 create-subnet --vpc-id "$vpc" --availability-zone "$region$zone" \
        --cidr-block "10.0.$((number * 16)).0/20" --query Subnet.SubnetId --output text)")
    private+=("$(aws ec2 create-subnet --vpc-id "$vpc" --availability-zone "$region$zone" \
        --cidr-block "10.0.$((128 + number * 16)).0/20" --query Subnet.SubnetId --output text)")
    aws ec2 associate-route-table --route-table-id "$public_routes" --subnet-id "${public[number]}" >/dev/null
    aws ec2 associate-route-table --route-table-id "$private_routes" --subnet-id "${private[number]}" >/dev/null
    number=$((number + 1))
done
address=$(aws ec2 allocate-address --domain vpc --query AllocationId --output text)
nat=$(aws ec2 create-nat-gateway --subnet-id "${public[0]}" --allocation-id "$address" \
    --query NatGateway.NatGatewayId --output text)
aws ec2 wait nat-gateway-available --nat-gateway-ids "$nat"
aws ec2 create-route --route-table-id "$public_routes" --destination-cidr-block 0.0.0.0/0 --gateway-id "$gateway" >/dev/null
aws ec2 create-route --route-table-id "$private_routes" --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" >/dev/null
for service in dynamodb s3; do
    aws ec2 create-vpc-endpoint --vpc-id "$vpc" --service-name "com.amazonaws.$region.$service" \
        --route-table-ids "$private_routes" >/dev/null
done
group=$(aws ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" "Name=group-name,Values=default" \
    --query 'SecurityGroups[0].GroupId' --output text)

step 3: the WebSocket API
# $default is not in the guide: it lets the application say what is wrong with a message.
api=$(aws apigatewayv2 create-api --name scribbleV3 --protocol-type WEBSOCKET \
    --route-selection-expression '$request.body.action' --query ApiId --output text)
route() { # key, integration
    aws apigatewayv2 create-route --api-id "$api" --route-key "$1" --target "integrations/$2" >/dev/null
}
integration() { # function
    aws apigatewayv2 create-integration --api-id "$api" --integration-type AWS_PROXY --integration-uri \
        "arn:aws:apigateway:$region:lambda:path/2015-03-31/functions/arn:aws:lambda:$region:$account:function:$1/invocations" \
        --query IntegrationId --output text
}
route '$connect' "$(integration ConnectV3)"
route '$disconnect' "$(integration DisconnectV3)"
send=$(integration sendMessageV3)
route sendMessage "$send"
route '$default' "$send"
deployment=$(aws apigatewayv2 create-deployment --api-id "$api" --query DeploymentId --output text)
aws apigatewayv2 create-stage --api-id "$api" --stage-name $stage --deployment-id "$deployment" >/dev/null

step 4: the cache
aws elasticache create-serverless-cache --serverless-cache-name scribblev3 --engine valkey --major-engine-version 8 \
    --subnet-ids "${private[@]}" --security-group-ids "$group" \
    --daily-snapshot-time 03:00 --snapshot-retention-limit 1 >/dev/null
cache() {
    aws elasticache describe-serverless-caches --serverless-cache-name scribblev3 \
        --query "ServerlessCaches[0].$1" --output text
}
available() { [ "$(cache Status)" = available ]; }
for _ in $(seq 600); do
    if available; then break; fi
    sleep 1
done
available
cache_url="valkeys://$(cache Endpoint.Address):$(cache Endpoint.Port)"

step 5: the bucket, and the page in it
aws s3api create-bucket --bucket scribblev3 --object-ownership BucketOwnerPreferred >/dev/null
aws s3api put-public-access-block --bucket scribblev3 --public-access-block-configuration \
    BlockPublicAcls=false,IgnorePublicAcls=false,BlockPublicPolicy=false,RestrictPublicBuckets=false
aws s3api put-bucket-acl --bucket scribblev3 --acl public-read
aws s3 cp --quiet --recursive --acl public-read --cache-control 'public, max-age=60' "$here/web" s3://scribblev3
echo "{\"socket\": \"/$stage\"}" >"$build/config.json"
aws s3 cp --quiet --acl public-read --cache-control 'public, max-age=60' "$build/config.json" s3://scribblev3/config.json

step 6: the distribution
# The second origin is not in the guide: through it page and socket have one host name.
policy=$(aws cloudfront create-cache-policy --query CachePolicy.Id --output text --cache-policy-config '{
    "Name": "scribbleV3-60s", "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 60,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": true, "EnableAcceptEncodingBrotli": true,
        "HeadersConfig": {"HeaderBehavior": "none"}, "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"}}}')
methods='"AllowedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"], "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}'
distribution=$(aws cloudfront create-distribution --query Distribution.DomainName --output text --distribution-config "{
    \"CallerReference\": \"scribbleV3-$api\", \"Comment\": \"scribbleV3\", \"Enabled\": true,
    \"DefaultRootObject\": \"scribble.html\", \"PriceClass\": \"PriceClass_All\",
    \"Origins\": {\"Quantity\": 2, \"Items\": [
        {\"Id\": \"bucket\", \"DomainName\": \"scribblev3.s3.$region.amazonaws.com\", \"S3OriginConfig\": {\"OriginAccessIdentity\": \"\"}},
        {\"Id\": \"socket\", \"DomainName\": \"$api.execute-api.$region.amazonaws.com\", \"CustomOriginConfig\": {
            \"HTTPPort\": 80, \"HTTPSPort\": 443, \"OriginProtocolPolicy\": \"https-only\",
            \"OriginSslProtocols\": {\"Quantity\": 1, \"Items\": [\"TLSv1.2\"]}}}]},
    \"DefaultCacheBehavior\": {\"TargetOriginId\": \"bucket\", \"ViewerProtocolPolicy\": \"allow-all\", \"Compress\": true,
        \"CachePolicyId\": \"$policy\", $methods},
    \"CacheBehaviors\": {\"Quantity\": 1, \"Items\": [
        {\"PathPattern\": \"/$stage\", \"TargetOriginId\": \"socket\", \"ViewerProtocolPolicy\": \"allow-all\", \"Compress\": false,
        \"CachePolicyId\": \"4135ea2d-6df8-44a3-9df3-4b5a84be39ad\",
        \"OriginRequestPolicyId\": \"b689b0a8-53d0-40ab-baf2-68738e2966ac\", $methods}]}}")

step 7 and 8: the role of the functions
# Scan is not in the guide: with it a lost cache is restored from the table.
trust() { # service
    echo "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"$1\"}, \"Action\": \"sts:AssumeRole\"}]}"
}
role=$(aws iam create-role --role-name scribbleV3Funcs --assume-role-policy-document "$(trust lambda.amazonaws.com)" \
    --query Role.Arn --output text)
for name in AmazonAPIGatewayInvokeFullAccess AmazonS3FullAccess AmazonSQSFullAccess service-role/AWSLambdaVPCAccessExecutionRole; do
    aws iam attach-role-policy --role-name scribbleV3Funcs --policy-arn "arn:aws:iam::aws:policy/$name"
done
aws iam put-role-policy --role-name scribbleV3Funcs --policy-name table --policy-document "{
    \"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Resource\": \"arn:aws:dynamodb:*:$account:table/*\",
    \"Action\": [\"dynamodb:GetItem\", \"dynamodb:BatchGetItem\", \"dynamodb:UpdateItem\", \"dynamodb:PutItem\", \"dynamodb:Scan\"]}]}"

step 9: the table
aws dynamodb create-table --table-name scribbleV3DB --attribute-definitions AttributeName=idx,AttributeType=N \
    --key-schema AttributeName=idx,KeyType=HASH --billing-mode PAY_PER_REQUEST >/dev/null
aws dynamodb wait table-exists --table-name scribbleV3DB

step 10: the functions
mkdir -p "$build/package"
cp -r "$here/functions/." "$here/../common/python/." "$build/package"  # the template has the latter in a layer
python3 -m pip install --quiet --disable-pip-version-check --no-compile --target "$build/package" \
    --requirement "$here/functions/requirements.txt"
python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])' "$build/package" "$build/package"
queue_url() { echo "https://sqs.$region.amazonaws.com/$account/$1"; }
variables="CACHE_URL=$cache_url,TABLE=scribbleV3DB,BUCKET=scribblev3,POINTS_QUEUE=$(queue_url scribbleV3Queue)"
variables+=",CATCH_UP_QUEUE=$(queue_url catchUpQueueV3),API_URL=https://$api.execute-api.$region.amazonaws.com/$stage"
subnets=$(IFS=,; echo "${private[*]}")
make() { # function, handler, timeout, memory, more options
    local name=$1 handler=$2 timeout=$3 memory=$4
    shift 4
    aws lambda create-function --function-name "$name" --runtime python3.12 --role "$role" --handler "$handler.handler" \
        --timeout "$timeout" --memory-size "$memory" --zip-file "fileb://$build/package.zip" \
        --vpc-config "SubnetIds=$subnets,SecurityGroupIds=$group" --environment "Variables={$variables}" "$@" >/dev/null
}
allow() { # function, routes of the API
    aws lambda add-permission --function-name "$1" --statement-id api --action lambda:InvokeFunction \
        --principal apigateway.amazonaws.com --source-arn "arn:aws:execute-api:$region:$account:$api/*$2" >/dev/null
}
make ConnectV3 connect 10 256
make DisconnectV3 disconnect 10 256
make sendMessageV3 send_message 10 256
make updateDBV3 update_db 60 1024
make catchUpClientV3 catch_up_client 60 512
make updateImageV3 update_image 60 512 \
    --layers "arn:aws:lambda:$region:770693421928:layer:Klayers-p312-Pillow:${PILLOW_LAYER_VERSION:-1}"
allow ConnectV3 '/$connect'
allow DisconnectV3 '/$disconnect'
allow sendMessageV3 ''
aws lambda wait function-active-v2 --function-name updateImageV3

step 11: the schedule
timer=$(aws iam create-role --role-name scribbleV3Schedule --assume-role-policy-document "$(trust scheduler.amazonaws.com)" \
    --query Role.Arn --output text)
aws iam attach-role-policy --role-name scribbleV3Schedule --policy-arn arn:aws:iam::aws:policy/AWSLambda_FullAccess
aws scheduler create-schedule --name updateImageV3 --schedule-expression 'rate(1 minute)' --flexible-time-window Mode=OFF \
    --target "Arn=arn:aws:lambda:$region:$account:function:updateImageV3,RoleArn=$timer" >/dev/null

step 12: the queues
# The dead-letter queues are not in the guide: without them a message that can't be processed comes again for four days.
queue() { # name, function
    local arn="arn:aws:sqs:$region:$account:$1"
    aws sqs create-queue --queue-name "$1-dead" >/dev/null
    cat >"$build/$1.json" <<JSON
{"VisibilityTimeout": "60", "MessageRetentionPeriod": "345600", "DelaySeconds": "0", "MaximumMessageSize": "262144",
 "ReceiveMessageWaitTimeSeconds": "1",
 "RedrivePolicy": "{\"deadLetterTargetArn\": \"$arn-dead\", \"maxReceiveCount\": 3}",
 "Policy": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"$role\"}, \"Action\": \"sqs:*\", \"Resource\": \"$arn\"}]}"}
JSON
    aws sqs create-queue --queue-name "$1" --attributes "file://$build/$1.json" >/dev/null
    aws lambda create-event-source-mapping --event-source-arn "$arn" --function-name "$2" --batch-size 10 \
        --function-response-types ReportBatchItemFailures --scaling-config MaximumConcurrency=10 >/dev/null
}
queue catchUpQueueV3 catchUpClientV3
queue scribbleV3Queue updateDBV3
aws lambda invoke --function-name updateImageV3 "$build/first.json" >/dev/null

echo "page https://$distribution/"
echo "api $api"
