# The list behind an HTTP API, by Terraform or OpenTofu: `npm run package`, then in this folder `terraform init` and `terraform apply`.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

# Without a password, or the secret's value in its place, which then stands in the state.
variable "database_url" { type = string }
# arn:aws:rds-db:<region>:<account>:dbuser:<resource id>/<role>
variable "database_user_arn" { type = string }
# What clients call; empty at first, for there is none yet.
variable "public_url" {
  type    = string
  default = ""
}
variable "media_url" { type = string }
variable "cors_origins" { type = list(string) }
variable "subnet_ids" { type = list(string) }
variable "security_group_ids" { type = list(string) }

locals {
  zip = "${path.module}/../../.serverless/users.zip"
}

resource "aws_cloudwatch_log_group" "users" {
  name              = "/aws/lambda/users-api-users"
  retention_in_days = 30
}

resource "aws_iam_role" "users" {
  name = "users-api-users"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

# Into the VPC, the log and the traces.
resource "aws_iam_role_policy_attachment" "users" {
  for_each   = toset(["service-role/AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess"])
  role       = aws_iam_role.users.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy" "users" {
  role = aws_iam_role.users.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "rds-db:connect", Resource = var.database_user_arn }]
  })
}

resource "aws_lambda_function" "users" {
  function_name                  = "users-api-users"
  filename                       = local.zip
  source_code_hash               = filebase64sha256(local.zip)
  role                           = aws_iam_role.users.arn
  handler                        = "dist/handlers/users.handler"
  runtime                        = "nodejs24.x"
  architectures                  = ["arm64"]
  memory_size                    = 512
  timeout                        = 15
  reserved_concurrent_executions = 20
  depends_on                     = [aws_cloudwatch_log_group.users, aws_iam_role_policy_attachment.users]

  environment {
    variables = {
      DATABASE_URL       = var.database_url
      DATABASE_IAM_AUTH  = "on"
      DATABASE_CA_FILE   = "/var/runtime/ca-cert.pem"
      PUBLIC_URL         = var.public_url
      MEDIA_URL          = var.media_url
      AUDIT_LOG          = "off"
      UNKNOWN_PARAMETERS = "refuse"
    }
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "INFO"
  }
}

resource "aws_apigatewayv2_api" "users" {
  name          = "users-api"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins  = var.cors_origins
    allow_methods  = ["GET", "HEAD", "OPTIONS"]
    allow_headers  = ["Accept", "Authorization", "Content-Type", "User-Agent", "X-CSRFToken", "X-Requested-With"]
    expose_headers = ["Link", "Retry-After", "Server-Timing", "X-Ignored-Parameters", "X-Request-Id", "X-Version"]
    max_age        = 600
  }
}

resource "aws_apigatewayv2_integration" "users" {
  api_id                 = aws_apigatewayv2_api.users.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.users.invoke_arn
  payload_format_version = "2.0"
}

# An HTTP API can have no route that ends in a slash.
resource "aws_apigatewayv2_route" "users" {
  api_id    = aws_apigatewayv2_api.users.id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.users.id}"
}

resource "aws_apigatewayv2_stage" "users" {
  api_id      = aws_apigatewayv2_api.users.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = 100
    throttling_burst_limit = 200
  }
}

resource "aws_lambda_permission" "users" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.users.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.users.execution_arn}/*"
}

output "url" {
  value = aws_apigatewayv2_stage.users.invoke_url
}
